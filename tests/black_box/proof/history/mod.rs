//! What was known at a moment: the answers to many questions by chance, against a naive fold of the log up to
//! that moment, and against what was answered at that moment itself.
//!
//! `DAYBOOK_PROOF_QUESTIONS` is how many, `DAYBOOK_SEED` begins with the same again.

mod folded;
mod past;
mod questions;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::harness::{APPOINTMENTS, Server, seed, size};
use folded::Log;
use past::Past;
use questions::Question;

/// How many things happen; some are refused.
const HAPPENINGS: usize = 260;

#[test]
fn what_was_known_at_any_moment_is_what_a_naive_fold_of_the_log_says() {
    let mut rng = StdRng::seed_from_u64(seed("as_of"));
    let past = Past::by_chance(&mut rng, HAPPENINGS);
    let mut sql = Server::shared().database.sql();
    let log = Log::read(&mut sql, &past.practice.tenant);
    let questions = size("DAYBOOK_PROOF_QUESTIONS", 200);
    let mut told = 0;
    for _ in 0..questions {
        let question = Question::by_chance(&mut rng, &past, &log);
        let (expected, answered) = (question.expected(&log), question.answered(&past));
        assert_eq!(answered, expected, "{question:?}");
        told += usize::from(!expected.is_empty());
    }
    assert!(told > questions / 3, "only {told} of {questions} had something to tell");

    // What was answered then is answered now.
    for (path, position, then) in &past.witnessed {
        let again = past.practice.api.get(&format!("{path}&as_of=position:{position}")).send();
        assert_eq!(past::comparable(again.is(200)), *then, "{path} at {position}");
    }
    let free = past.witnessed.iter().filter(|(path, ..)| path.starts_with("/v1/availability"));
    assert!(free.count() > HAPPENINGS / 8, "too few questions for free time");

    // All this would be seen if it were otherwise: rows that are not closed are found for ever.
    let reopened = sql.change(
        &format!(
            "UPDATE {APPOINTMENTS}.appointments SET until_position = NULL, until_at = NULL
              WHERE tenant_id = $1 AND until_position IS NOT NULL"
        ),
        &past.practice.tenant,
    );
    assert!(reopened > 20, "{reopened}");
    let wrong = (0..50).filter(|_| {
        let question = Question::list_by_chance(&mut rng, &past, &log);
        question.answered(&past) != question.expected(&log)
    });
    assert!(wrong.count() > 5);
}
