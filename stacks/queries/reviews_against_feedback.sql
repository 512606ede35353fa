-- Per product: the stars of its reviews beside the sentiment of its feedback.
-- A feedback has a row for each decision, and now and then the same row twice: the newest holds.
WITH stars AS (
  SELECT product_id, count(*) AS reviews, round(avg(rating), 2) AS average_stars
  FROM reviews
  GROUP BY product_id
),
decisions AS (
  SELECT *, row_number() OVER (PARTITION BY feedback_id ORDER BY decided_at DESC) AS age
  FROM feedback
),
voices AS (
  SELECT product_id, count(*) AS feedback, round(avg(sentiment), 2) AS average_sentiment
  FROM decisions
  WHERE age = 1
    AND sentiment IS NOT NULL
  GROUP BY product_id
)
SELECT stars.product_id, reviews, average_stars, feedback, average_sentiment
FROM stars
JOIN voices ON voices.product_id = stars.product_id
ORDER BY average_sentiment, average_stars
