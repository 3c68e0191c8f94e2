-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Over how many days it is added up who is booked least. NULL: as the program has it.
ALTER TABLE tenants ADD COLUMN least_booked_days integer;
