-- The 50 latest negative messages, with what the model was sure of.
SELECT received_at, product_id, category, channel, round(confidence, 2) AS confidence, text, feedback_id
FROM feedback
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND sentiment = -1
ORDER BY received_at DESC
LIMIT 50
