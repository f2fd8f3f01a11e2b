-- Failed records by reason
--
-- What Firehose kept under the failed prefix, by its error code and message. For a record that the
-- transform refused Firehose knows no more than that; the transform's own reason is in its log.
-- example_base64 is one such record's data; from_utf8(from_base64(...)) shows it as text.
-- Reads the partitions of the window only.
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
