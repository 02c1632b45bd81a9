-- Rows as they arrive from Kafka, on their way: those that can be read go into the table, the others among the
-- dead letters. It keeps nothing. Both ways are there before the first row arrives.
CREATE TABLE {{ table(name ~ "_arrivals") }} {{ on_cluster }}
(
    {{ columns }},
    arrival_error   String COMMENT 'why the message cannot be read; empty when it can',
    arrival_message String COMMENT 'the message, when it cannot be read'
)
ENGINE = Null
