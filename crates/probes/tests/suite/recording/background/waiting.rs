//! Who waits for whom while a measurement goes on in the background, and what time that is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use probes::sink::Memory;
use probes::{Budget, Error, Moment, Probe, Probes, Record, Records, Schedule, tag};

use super::{Number, Reading, number, steps, value};

/// Says that it measures, and does not end before it is told to; not after ten seconds either.
pub(super) struct Gate {
    begun: Sender<u64>,
    opened: Receiver<()>,
    clock: Arc<AtomicU64>,
}

impl Probe<Number> for Gate {
    fn name(&self) -> String {
        "gate".into()
    }

    fn measure(&mut self, moment: &Moment<'_, Number>, records: &mut Records) -> Result<(), Error> {
        // Nobody may listen any more.
        let _ = self.begun.send(moment.step);
        let opened = self.opened.recv_timeout(Duration::from_secs(10));
        self.clock.fetch_add(5, Ordering::Relaxed);
        records.scalar("opened", f64::from(u8::from(opened.is_ok())));
        records.scalar("gate", value(moment.model));
        Ok(())
    }
}

/// The other side of a [`Gate`].
pub(super) struct Keeper {
    pub(super) begun: Receiver<u64>,
    open: Sender<()>,
    clock: Arc<AtomicU64>,
}

pub(super) fn gate() -> (Gate, Keeper) {
    let ((begun, begins), (open, opened)) = (channel(), channel());
    let clock = Arc::new(AtomicU64::new(0));
    let gate = Gate {
        begun,
        opened,
        clock: Arc::clone(&clock),
    };
    let keeper = Keeper {
        begun: begins,
        open,
        clock,
    };
    (gate, keeper)
}

impl Keeper {
    /// Simulated seconds, which pass by what the test and the gate say.
    fn now(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let clock = Arc::clone(&self.clock);
        move || Duration::from_secs(clock.load(Ordering::Relaxed))
    }

    pub(super) fn open(&self) {
        // A gate that is gone needs nobody to open it.
        let _ = self.open.send(());
    }
}

#[test]
fn logging_does_not_wait_for_a_measurement() {
    let (gate, keeper) = gate();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(100), gate)
        .with_sink(memory.clone())
        .without_cost_records()
        .in_background();
    probes.observe(0, &number(0)).unwrap();
    for step in 1..=50 {
        probes.log("loss/train", step, 0.5);
        probes.observe(step, &number(step)).unwrap();
    }
    keeper.open();
    probes.wait();
    assert_eq!(memory.scalars("opened"), [(0, 1.0)]);
    // What was logged comes after, in its order.
    let all: Vec<u64> = memory.records().iter().map(|record| record.step).collect();
    let expected: Vec<u64> = [0].into_iter().chain(0..=50).collect();
    assert_eq!(all, expected);
}

#[test]
fn fourth_snapshot_waits_for_room_without_a_limit_or_where_it_is_required() {
    for budget in [Budget::unlimited(), Budget::fraction(0.01)] {
        let (gate, keeper) = gate();
        let memory = Memory::new();
        let mut probes = Probes::new()
            .with_budget(budget)
            .with_clock(keeper.now())
            .with_required(Schedule::every(1), gate)
            .with_sink(memory.clone())
            .in_background();
        for step in 1..=3 {
            probes.observe(step, &number(step)).unwrap();
        }
        // The training has not waited yet.
        assert_eq!(probes.spent().waited, Duration::ZERO);
        assert!(steps(&memory, "gate").is_empty());
        keeper.begun.recv().unwrap();
        let opens = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            (0..4).for_each(|_| keeper.open());
            keeper
        });
        probes.observe(4, &number(4)).unwrap();
        // There was no room before the first was measured.
        assert_eq!(steps(&memory, "gate")[0], 1);
        opens.join().unwrap();
        let summary = probes.finish();
        let all = [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)];
        assert_eq!(memory.scalars("gate"), all);
        assert_eq!(summary.measured["gate"], 4);
        assert_eq!(summary.skipped, 0);
    }
}

#[test]
fn with_a_limit_what_finds_no_room_is_left_out_and_told() {
    let (gate, keeper) = gate();
    let memory = Memory::new();
    let mut probes = Probes::new()
        .with_budget(Budget::fraction(0.5))
        .with_total_steps(9)
        .with_clock(keeper.now())
        .with_required(Schedule::at([1]), gate)
        .with_required_at_end(Schedule::every(1), Reading::default())
        .with_handler(|_| ())
        .with_sink(memory.clone())
        .in_background();
    let mut left_out = Vec::new();
    for step in 1..=8 {
        let observed = probes.observe(step, &number(step)).unwrap();
        let names = observed.skipped.into_iter();
        left_out.extend(names.map(|(name, _)| (step, name)));
    }
    let expected = [4, 5, 6, 7, 8].map(|step| (step, "reading".to_owned()));
    assert_eq!(left_out, expected);
    // The last step waits for room.
    keeper.open();
    probes.observe(9, &number(9)).unwrap();
    let summary = probes.finish();
    assert_eq!(steps(&memory, "gate"), [1]);
    assert_eq!(steps(&memory, "value").last(), Some(&9));
    let reading = &summary.tallies[1];
    assert_eq!(reading.skipped + reading.measured, 9);
    assert!(reading.skipped >= 5 && summary.skipped == reading.skipped);
    let notes = memory.records().into_iter();
    let mut notes = notes.filter(|record| record.tag == tag::NOTES);
    let told =
        |note: Record| format!("{:?}", note.value).contains("reading was left out 5 time(s)");
    assert!(notes.any(told));
}

#[test]
fn dropping_measures_what_waits() {
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Reading::default())
        .with_sink(memory.clone())
        .in_background();
    for step in 0..3 {
        probes.observe(step, &number(step)).unwrap();
    }
    drop(probes);
    assert_eq!(memory.scalars("value"), [(0, 0.0), (1, 1.0), (2, 2.0)]);
}

#[test]
fn share_counts_all_of_the_thread_and_says_for_how_long_the_training_waited() {
    let (gate, keeper) = gate();
    let mut probes = Probes::unlimited()
        .with_clock(keeper.now())
        .with(Schedule::at([1]), gate)
        .in_background();
    probes.observe(1, &number(1)).unwrap();
    keeper.begun.recv().unwrap();
    // Twenty seconds of training go by while it is measured, and the gate takes five of its own.
    keeper.clock.fetch_add(20, Ordering::Relaxed);
    keeper.open();
    let summary = probes.finish();
    let seconds = [
        summary.spent.probes,
        summary.spent.training + summary.spent.waited,
    ];
    assert_eq!(seconds.map(|time| time.as_secs()), [25, 25]);
    assert!(summary.spent.waited <= Duration::from_secs(5));
    assert!(
        summary.to_string().contains("in the background"),
        "{summary}"
    );
}
