-- What keeps claims apart, cheaper: a claim is also drawn as a rectangle, seats from left to right and
-- time from bottom to top, and the index is ordered by that. Two that are in each other's way always
-- touch; whether two that touch are in each other's way, the other columns say exactly
-- (docs/adr/0023-claims-are-indexed-as-areas.md).

-- Where a claim lies: as many seconds up as it is after 2000, where timestamps count from (no difference to that
-- overflows), and as far to the right as its resource's hash says, with a place for each seat of it. What is the
-- same here may be of two resources, and the ends of times far from now are rounded: an area is where to look, and
-- proves nothing. Places are exact in a double (53 bits: 37 of the hash, 16 of the seat), so two seats of a resource
-- never touch. A range without an end is longer than any that has one.
CREATE FUNCTION claim_area(resource uuid, first_seat int, last_seat int, during tstzrange)
RETURNS box LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN box(
    point((uuid_hash_extended(resource, 0) >> 27)::float8 * 65536 + first_seat,
          coalesce(date_part('epoch', lower(during) - to_timestamp(946684800)), -1e15)),
    point((uuid_hash_extended(resource, 0) >> 27)::float8 * 65536 + last_seat,
          coalesce(date_part('epoch', upper(during) - to_timestamp(946684800)), 1e15)));

-- Where all claims on a resource lie, whatever their seat.
CREATE FUNCTION resource_area(resource uuid, during tstzrange)
RETURNS box LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN claim_area(resource, -32768, 32767, during);

ALTER TABLE claims
    DROP CONSTRAINT no_double_booking,
    ADD COLUMN area box NOT NULL
        GENERATED ALWAYS AS (claim_area(resource_id, seat, seat, during)) STORED,
    ADD CONSTRAINT no_double_booking EXCLUDE USING gist
        (area WITH &&, during WITH &&, resource_id WITH =, tenant_id WITH =);
