-- How the mood moves: feedback per day, channel and label over the last 30 days.
-- A feedback has a row for each decision, and now and then the same row twice: the newest holds.
WITH decisions AS (
  SELECT *, row_number() OVER (PARTITION BY feedback_id ORDER BY decided_at DESC) AS age
  FROM feedback
  WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
)
SELECT dt, channel, label, count(*) AS feedback, round(avg(confidence), 2) AS average_confidence
FROM decisions
WHERE age = 1
GROUP BY dt, channel, label
ORDER BY dt DESC, channel, label
