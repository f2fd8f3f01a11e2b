-- Failed records by reason
--
-- Records under the failed prefix, by Firehose's error code and message. For records that the
-- transform rejected, the detailed reason is in the transform's log.
-- Needs the operator policy, because the objects hold raw data. The answer holds none, because
-- every reader can read the answers of others; `python -m operate replay failed` shows more.
-- Reads only the partitions of the window.
-- param days int 7 how many days back, today included (UTC), by arrival
SELECT
    errorcode,
    errormessage,
    count(*) AS records,
    CAST(from_unixtime(min(arrivaltimestamp) / 1000.0E0) AT TIME ZONE 'UTC' AS timestamp) AS first_arrival,
    CAST(from_unixtime(max(arrivaltimestamp) / 1000.0E0) AT TIME ZONE 'UTC' AS timestamp) AS last_arrival,
    max(attemptsmade) AS most_attempts
FROM projection_processing_failed
WHERE day >= date_format(date_add('day', 1 - /*days*/ 7, current_date), '%Y-%m-%d')
GROUP BY errorcode, errormessage
ORDER BY records DESC, errorcode, errormessage
