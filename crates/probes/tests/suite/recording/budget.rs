//! A budget is a limit: what is measured when, how long it takes, and what is said of it. The time
//! is simulated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use probes::sink::Memory;
use probes::{
    Budget, Error, MeasuringCost, Message, Moment, Probe, Probes, Records, Schedule, Summary,
    Value, tag,
};
use proptest::prelude::*;

/// A clock of microseconds.
type Clock = Arc<AtomicU64>;

/// A probe that takes the time that it is given, or all that it asks for; of unknown cost where it
/// asks for nothing.
struct Timed {
    name: &'static str,
    cost: Option<MeasuringCost>,
    /// What it takes in fact, as a multiple of what it is given.
    slower: f64,
    clock: Clock,
}

#[allow(clippy::cast_possible_truncation, reason = "seconds of a test")]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

impl Probe<f64> for Timed {
    fn name(&self) -> String {
        self.name.into()
    }

    fn cost(&self, _: &Moment<'_, f64>) -> Result<Option<MeasuringCost>, Error> {
        Ok(self.cost)
    }

    fn measure(&mut self, moment: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
        let full = self.cost.map_or(0.5, |cost| cost.full);
        let given = moment.seconds.unwrap_or(full).min(full);
        self.clock
            .fetch_add(micros(given * self.slower), Ordering::Relaxed);
        records.scalar(format!("value/{}", self.name), given);
        if given < full {
            records.shortened(format!("{given:.3} of {full:.3} s"));
        }
        Ok(())
    }
}

struct Run {
    clock: Clock,
    memory: Memory,
    probes: Probes<f64>,
}

impl Run {
    fn new(budget: Budget) -> Self {
        let clock = Clock::default();
        let now = Arc::clone(&clock);
        let memory = Memory::new();
        let probes = Probes::new()
            .with_budget(budget)
            .with_clock(move || Duration::from_micros(now.load(Ordering::Relaxed)))
            .with_handler(|_| ())
            .with_sink(memory.clone());
        Self {
            clock,
            memory,
            probes,
        }
    }

    fn with(
        mut self,
        schedule: Schedule,
        name: &'static str,
        cost: Option<MeasuringCost>,
        slower: f64,
    ) -> Self {
        let probe = Timed {
            name,
            cost,
            slower,
            clock: Arc::clone(&self.clock),
        };
        self.probes = self.probes.with(schedule, probe);
        self
    }

    /// Steps of `seconds` each.
    fn train(mut self, steps: u64, seconds: f64) -> (Summary, Memory) {
        self.probes = self.probes.with_total_steps(steps);
        for step in 1..=steps {
            self.clock.fetch_add(micros(seconds), Ordering::Relaxed);
            let observed = self.probes.observe(step, &0.0);
            observed.expect("the total is known");
        }
        (self.probes.finish(), self.memory)
    }
}

/// The steps at which `name` measured.
fn steps(memory: &Memory, name: &str) -> Vec<u64> {
    let scalars = memory.scalars(&format!("value/{name}"));
    scalars.into_iter().map(|(step, _)| step).collect()
}

#[test]
fn without_a_limit_everything_is_measured_in_full_when_it_is_due() {
    let (summary, memory) = Run::new(Budget::unlimited())
        .with(
            Schedule::every(2),
            "slow",
            Some(MeasuringCost {
                least: 1.0,
                full: 5.0,
            }),
            1.0,
        )
        .train(6, 0.1);
    assert_eq!(steps(&memory, "slow"), [2, 4, 6]);
    assert!(
        memory
            .scalars("value/slow")
            .iter()
            .all(|(_, given)| *given == 5.0)
    );
    assert_eq!((summary.skipped, summary.tallies[0].shortened), (0, 0));
}

#[test]
fn a_measurement_waits_for_what_it_takes_and_the_one_before_is_left_out() {
    // 10 % of 0.1 s steps: 0.0111 s a step, and a credit of a quarter of 1.11 s that shrinks to
    // nothing.
    let (summary, memory) = Run::new(Budget::fraction(0.1))
        .with(
            Schedule::every(10),
            "dear",
            Some(MeasuringCost::fixed(0.4)),
            1.0,
        )
        .train(100, 0.1);
    let measured = steps(&memory, "dear");
    // 1.11 s allow two of 0.4 s.
    assert_eq!(measured.len(), 2, "{measured:?}");
    assert_eq!(summary.tallies[0].measured + summary.tallies[0].skipped, 10);
    assert!(summary.spent.share() <= 0.1);
    // Why stands in the notes, and the account at the end.
    let texts = |tag: &str| {
        let records = memory
            .records()
            .into_iter()
            .filter(|record| record.tag == tag);
        records
            .map(|record| match record.value {
                Value::Text(text) => text,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert!(
        texts(tag::NOTES)
            .iter()
            .all(|note| note.contains("dear") && note.contains("10 %"))
    );
    assert!(
        texts(tag::ACCOUNT)[0].contains("| dear | 2 | 0 | 8 | 0 | 0 | 0.80 |"),
        "{:?}",
        texts(tag::ACCOUNT)
    );
}

#[test]
fn what_can_be_shortened_is_shortened_rather_than_left_out() {
    let cost = MeasuringCost {
        least: 0.05,
        full: 3.0,
    };
    let (summary, memory) = Run::new(Budget::fraction(0.1))
        .with(Schedule::log_spaced(5), "long", Some(cost), 1.0)
        .train(200, 0.1);
    assert_eq!(memory.scalars("value/long").len(), 5);
    // All of 2.22 s is less than one asks for.
    let tally = &summary.tallies[0];
    assert_eq!((tally.measured, tally.shortened, tally.skipped), (5, 5, 0));
    // Each takes four times the one before at most.
    assert!(
        summary.spent.share() <= 0.1 && summary.spent.share() > 0.06,
        "{}",
        summary.spent.share()
    );
    assert!(
        memory
            .records()
            .iter()
            .any(|record| record.tag == tag::NOTES
                && matches!(&record.value, Value::Text(text) if text.contains("of 3.000 s")))
    );
}

#[test]
fn the_end_is_provided_for() {
    let (summary, memory) = Run::new(Budget::fraction(0.1))
        .with(
            Schedule::every(1),
            "often",
            Some(MeasuringCost::fixed(0.02)),
            1.0,
        )
        .with(
            Schedule::at_end(),
            "end",
            Some(MeasuringCost::fixed(0.3)),
            1.0,
        )
        .train(100, 0.1);
    assert_eq!(steps(&memory, "end"), [100]);
    assert!(steps(&memory, "often").len() > 20);
    assert!(summary.spent.share() <= 0.1);
}

#[test]
fn what_is_required_is_measured_whatever_the_budget() {
    let mut run = Run::new(Budget::fraction(0.01));
    let probe = Timed {
        name: "required",
        cost: Some(MeasuringCost::fixed(3.0)),
        slower: 1.0,
        clock: Arc::clone(&run.clock),
    };
    run.probes = run.probes.with_required(Schedule::every(5), probe);
    let (_, memory) = run.train(10, 0.1);
    assert_eq!(steps(&memory, "required"), [5, 10]);
}

#[test]
fn a_probe_that_does_not_know_its_cost_is_held_to_what_the_last_one_took() {
    let (summary, memory) = Run::new(Budget::fraction(0.2))
        .with(Schedule::every(1), "unknown", None, 1.0)
        .train(100, 0.1);
    // 2.5 s allow five of 0.5 s, the last of which would leave nothing for being slow.
    assert_eq!(memory.scalars("value/unknown").len(), 4);
    assert!(summary.spent.share() <= 0.2 + 1e-9);
}

#[test]
fn what_is_said_begins_with_a_plan_at_the_first_step() {
    let said = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let mut run = Run::new(Budget::fraction(0.1)).with(
        Schedule::every(100),
        "some",
        Some(MeasuringCost::fixed(0.01)),
        1.0,
    );
    run.probes = run.probes.with_handler(move |message: &Message<'_>| {
        let text = match message {
            Message::Plan(text) => (*text).to_owned(),
            Message::Measuring(at) => {
                format!("{} {} of {} at {}", at.probe, at.number, at.of, at.step)
            }
            Message::Measured { seconds, .. } => format!("took {seconds}"),
            other => format!("{other:?}"),
        };
        heard.lock().unwrap().push(text);
    });
    run.train(200, 1.0);
    let said = said.lock().unwrap();
    assert_eq!(said[0], "at most 10 % of the time: some (every 100)");
    assert!(
        said[1].contains("a training of 200 s allow 22.2 s; asked for: some 2 x 0.01 s"),
        "{said:?}"
    );
    assert_eq!(said[2..4], ["some 1 of 1 at 100", "took 0.01"]);
}

#[test]
fn many_probes_slower_than_thought_wait_for_each_other() {
    // Twenty probes, all due at once, each of which takes seven times what it thinks.
    let mut run = Run::new(Budget::fraction(0.1));
    let cost = Some(MeasuringCost::fixed(0.02));
    for _ in 0..20 {
        run = run.with(Schedule::log_spaced(4), "slow", cost, 7.0);
    }
    let (summary, _) = run.train(200, 0.1);
    // 2.22 s allow fifteen of 0.14 s, and one may go over.
    assert!(
        summary.spent.probes.as_secs_f64() <= 2.22 + 0.13,
        "{summary}"
    );
    let measured: u64 = summary.tallies.iter().map(|tally| tally.measured).sum();
    assert!((12..=16).contains(&measured), "{summary}");
    // Hardly any is measured twice before the others are measured once.
    let once = summary.tallies.iter().filter(|tally| tally.measured > 0);
    assert!(once.count() >= 12, "{summary}");
}

#[test]
fn a_probe_that_can_be_measured_once_is_measured_at_the_end() {
    // 2.22 s: the dear one takes 1 s, and the cheap ones have the rest.
    let (summary, memory) = Run::new(Budget::fraction(0.1))
        .with(
            Schedule::log_spaced(8),
            "cheap",
            Some(MeasuringCost::fixed(0.02)),
            1.0,
        )
        .with(
            Schedule::log_spaced(8),
            "dear",
            Some(MeasuringCost::fixed(1.0)),
            1.0,
        )
        .with(
            Schedule::log_spaced(8),
            "never",
            Some(MeasuringCost::fixed(30.0)),
            1.0,
        )
        .train(200, 0.1);
    assert_eq!(steps(&memory, "dear"), [200]);
    // All but the first, at which the pace is not known yet.
    assert_eq!(steps(&memory, "cheap").len(), 7);
    assert!(steps(&memory, "never").is_empty());
    assert!(summary.spent.share() <= 0.1);
}

#[test]
fn what_waits_is_not_asked_for_its_cost_at_each_step() {
    /// Counts how often it is asked.
    struct Asked(Arc<AtomicU64>);
    impl Probe<f64> for Asked {
        fn name(&self) -> String {
            "asked".into()
        }
        fn cost(&self, _: &Moment<'_, f64>) -> Result<Option<MeasuringCost>, Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Some(MeasuringCost::fixed(30.0)))
        }
        fn measure(&mut self, _: &Moment<'_, f64>, _: &mut Records) -> Result<(), Error> {
            unreachable!("it costs more than the run allows")
        }
    }
    let asked = Arc::new(AtomicU64::new(0));
    let mut run = Run::new(Budget::fraction(0.1));
    run.probes = run
        .probes
        .with(Schedule::log_spaced(8), Asked(Arc::clone(&asked)));
    run.train(2000, 0.01);
    // Twice for the plan, and once each time that it is due anew.
    assert!(asked.load(Ordering::Relaxed) <= 12, "{asked:?}");
}

proptest! {
    /// Probes that take longer than they thought: one measurement may go over, and what comes after
    /// waits until that is made up for.
    #[test]
    fn the_share_is_kept(
        share in 0.01_f64..0.5,
        step_seconds in 0.01_f64..1.0,
        steps in 50_u64..400,
        costs in prop::collection::vec((0.001_f64..0.5, 0.0_f64..2.0, 0_u8..4), 1..5),
        slower in prop::sample::select(vec![0.5, 1.0, 2.0, 7.0]),
    ) {
        let mut run = Run::new(Budget::fraction(share));
        let mut slack: f64 = 1e-5 * steps as f64;
        let mut over: f64 = 0.0;
        for ((least, more, kind), name) in costs.iter().zip(["a", "b", "c", "d"]) {
            let schedule = match kind {
                0 => Schedule::every(1),
                1 => Schedule::every(17),
                2 => Schedule::log_spaced(6),
                _ => Schedule::at_end(),
            };
            run = run.with(schedule, name, Some(MeasuringCost { least: *least, full: least + more }), slower);
            if slower > 1.0 {
                over = over.max((slower - 1.0) * (least + more));
            }
        }
        slack += over;
        let (summary, _) = run.train(steps, step_seconds);
        let training = steps as f64 * step_seconds;
        let allowed = share / (1.0 - share) * training;
        prop_assert!(summary.spent.probes.as_secs_f64() <= allowed + slack, "{summary} of {allowed} + {slack}");
    }
}
