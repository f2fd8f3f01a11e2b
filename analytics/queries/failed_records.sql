-- Failed records by reason
--
-- Records under the failed prefix, by Firehose's error code and message. For records that the
-- transform rejected, the detailed reason is in the transform's log.
-- example_base64 is the data of one such record; from_utf8(from_base64(...)) shows it as text.
-- Reads only the partitions of the window.
-- param days int 7 how many days back, today included (UTC), by arrival
SELECT
    errorcode,
    errormessage,
    count(*) AS records,
    CAST(from_unixtime(min(arrivaltimestamp) / 1000.0E0) AT TIME ZONE 'UTC' AS timestamp) AS first_arrival,
    CAST(from_unixtime(max(arrivaltimestamp) / 1000.0E0) AT TIME ZONE 'UTC' AS timestamp) AS last_arrival,
    max(attemptsmade) AS most_attempts,
    min(rawdata) AS example_base64
FROM projection_processing_failed
WHERE day >= date_format(date_add('day', 1 - /*days*/ 7, current_date), '%Y-%m-%d')
GROUP BY errorcode, errormessage
ORDER BY records DESC, errorcode, errormessage
