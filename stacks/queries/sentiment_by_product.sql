-- Share of negative feedback per product over the last 30 days, the worst first.
SELECT product_id,
       count(*) AS feedback,
       count_if(sentiment = -1) AS negative,
       round(1.0 * count_if(sentiment = -1) / count(*), 3) AS negative_share
FROM feedback
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
  AND sentiment IS NOT NULL
GROUP BY product_id
HAVING count(*) >= 5
ORDER BY negative_share DESC, feedback DESC
