-- Share of negative feedback per product over the last 30 days, the worst first.
-- A feedback has a row for each decision, and now and then the same row twice: the newest holds.
WITH decisions AS (
  SELECT *, row_number() OVER (PARTITION BY feedback_id ORDER BY decided_at DESC) AS age
  FROM feedback
  WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT product_id,
       count(*) AS feedback,
       count_if(sentiment = -1) AS negative,
       round(1.0 * count_if(sentiment = -1) / count(*), 3) AS negative_share
FROM decisions
WHERE age = 1
  AND sentiment IS NOT NULL
GROUP BY product_id
HAVING count(*) >= 5
ORDER BY negative_share DESC, feedback DESC
