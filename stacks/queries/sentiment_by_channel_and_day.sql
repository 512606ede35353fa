-- How the mood moves: feedback per day, channel and label over the last 30 days.
SELECT dt, channel, label, count(*) AS feedback, round(avg(confidence), 2) AS average_confidence
FROM feedback
WHERE dt >= date_format(current_date - INTERVAL '30' DAY, '%Y-%m-%d')
GROUP BY dt, channel, label
ORDER BY dt DESC, channel, label
