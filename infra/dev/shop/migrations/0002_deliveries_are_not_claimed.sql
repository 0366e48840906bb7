-- What is being sent is known by the one process that sends; a claim in the row outlived the attempt when its end could not be noted.
alter table delivery drop column claimed_by;
