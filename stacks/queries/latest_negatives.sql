-- The 50 latest negative messages, with what the model was sure of.
-- A feedback has a row for each decision, and now and then the same row twice: the newest holds.
WITH decisions AS (
  SELECT *, row_number() OVER (PARTITION BY feedback_id ORDER BY decided_at DESC) AS age
  FROM feedback
  WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
)
SELECT received_at, product_id, category, channel, round(confidence, 2) AS confidence, text, feedback_id
FROM decisions
WHERE age = 1
  AND sentiment = -1
ORDER BY received_at DESC
LIMIT 50
