//! That what fails, a probe or a sink, costs nothing but itself.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::io;
use std::sync::{Arc, Mutex};

use probes::instrument::Suffixed;
use probes::sink::{JsonLines, Memory, Sink, TensorBoard};
use probes::{Error, Moment, Probe, Probes, Record, Records, Schedule};

use super::{clock, reading};

/// A probe whose closure Burn would refuse.
struct Panicking;

impl Probe<f64> for Panicking {
    fn name(&self) -> String {
        "panicking".into()
    }

    fn measure(&mut self, _: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
        records.scalar("value/before", 1.0);
        panic!("dtype mismatch");
    }
}

#[test]
fn panic_of_a_probe_is_reported_and_stops_neither_the_loop_nor_the_other_probes() {
    let (time, _) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Panicking)
        .with(Schedule::every(1), reading("other", 0, &time))
        .with_sink(memory.clone());
    for step in 1..=2 {
        let observed = probes.observe(step, &3.0).unwrap();
        let (name, error) = &observed.failed[0];
        assert_eq!(name, "panicking");
        assert!(error.to_string().contains("dtype mismatch"), "{error}");
    }
    assert_eq!(memory.scalars("value/other"), [(1, 3.0), (2, 3.0)]);
    assert_eq!(memory.scalars("value/before"), [(1, 1.0), (2, 1.0)]);
    assert_eq!(probes.finish().failed, 2);
}

/// A stream that takes nothing.
struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_is_told_at_the_end_and_the_others_get_everything() {
    let (time, _) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), reading("value", 0, &time))
        .without_cost_records()
        .with_sink(JsonLines::to_stream(Full))
        .with_sink(memory.clone());
    for step in 0..3 {
        probes.observe(step, &1.0).unwrap();
    }
    let summary = probes.finish();
    assert!(matches!(
        summary.undelivered[..],
        [Error::Rejected { rejected: 3, .. }]
    ));
    assert_eq!(summary.measured["value"], 3);
    assert_eq!(memory.records().len(), 3);
}

#[test]
fn panic_under_a_suffix_keeps_what_was_recorded_before() {
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Suffixed::new(Panicking, "_valid"))
        .with_sink(memory.clone());
    let observed = probes.observe(1, &3.0).unwrap();
    assert!(
        observed.failed[0].1.to_string().contains("dtype mismatch"),
        "{observed:?}"
    );
    assert_eq!(memory.scalars("value/before_valid"), [(1, 1.0)]);
}

#[test]
fn tag_logged_twice_at_a_step_is_told_in_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let (time, _) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), reading("value", 0, &time))
        .with_sink(TensorBoard::create(folder.path()).unwrap())
        .with_sink(memory.clone());
    probes.observe(8, &1.0).unwrap();
    probes.log("train/loss", 9, 1.0);
    probes.log("train/loss", 9, 0.5);
    probes.log("train/loss", 10, 0.25);
    let summary = probes.finish();
    assert_eq!(summary.measured["value"], 1);
    let [error] = &summary.undelivered[..] else {
        panic!("{summary:?}")
    };
    assert_eq!(
        error.to_string(),
        "1 record(s) did not reach TensorBoard; the first because: step 9 of tag `train/loss` does not come after its last step 9: \
         write every tag once per step, in order"
    );
    assert!(summary.delivered().is_err());
    assert_eq!(
        memory.scalars("train/loss"),
        [(9, 1.0), (9, 0.5), (10, 0.25)]
    );
    let files = tensorboard::existing_event_files(folder.path()).unwrap();
    let scalars = tensorboard::read_events(&files[0])
        .unwrap()
        .scalars("train/loss");
    assert_eq!(scalars, [(9, 1.0), (10, 0.25)]);
}

/// Panics where it is told to, and counts the records that it took.
struct Fragile {
    at: &'static str,
    taken: Arc<Mutex<Vec<u64>>>,
}

impl Sink for Fragile {
    fn write(&mut self, record: &Record) {
        assert!(
            self.at != "write" || record.step != 2,
            "no room for step {}",
            record.step
        );
        self.taken.lock().unwrap().push(record.step);
    }

    fn flush(&mut self) {
        assert!(self.at != "flush", "cannot flush");
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        assert!(self.at != "finish", "cannot finish");
        Ok(())
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.at != "drop", "cannot end");
    }
}

#[test]
fn sink_that_panics_costs_what_it_loses_and_nothing_else() {
    for (at, expected) in [
        ("write", "1 record(s) did not reach"),
        ("flush", "the sink recording::failures::Fragile panicked"),
        ("finish", "the sink recording::failures::Fragile panicked"),
        ("drop", "the sink recording::failures::Fragile panicked"),
    ] {
        let (time, _) = clock();
        let (memory, taken) = (Memory::new(), Arc::default());
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), reading("value", 0, &time))
            .without_cost_records()
            .with_sink(Fragile {
                at,
                taken: Arc::clone(&taken),
            })
            .with_sink(memory.clone());
        let mut warnings = Vec::new();
        for step in 1..=4 {
            warnings.extend(probes.observe(step, &1.0).unwrap().warnings);
        }
        let summary = probes.finish();
        let [error] = &summary.undelivered[..] else {
            panic!("{at}: {summary:?}")
        };
        assert!(error.to_string().starts_with(expected), "{at}: {error}");
        assert_eq!(summary.measured["value"], 4, "{at}");
        assert_eq!(memory.records().len(), 4, "{at}");
        let steps: &[u64] = if at == "write" {
            &[1, 3, 4]
        } else {
            &[1, 2, 3, 4]
        };
        assert_eq!(*taken.lock().unwrap(), steps, "{at}");
        // What happens while the run goes on is told at once, and once.
        let told = usize::from(at == "write" || at == "flush");
        assert_eq!(warnings.len(), told, "{at}: {warnings:?}");
    }
}

/// A stream with room for some bytes, which can be made later.
#[derive(Clone, Default)]
struct Small {
    taken: Arc<Mutex<Vec<u8>>>,
    room: Arc<Mutex<usize>>,
}

impl io::Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.room.lock().unwrap();
        if *room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(*room);
        *room -= count;
        self.taken.lock().unwrap().extend(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn stream_that_is_full_for_a_while_loses_the_lines_that_are_counted() {
    let line = |step: u64| format!("{{\"scalar\":1.0,\"step\":{step},\"tag\":\"loss\"}}");
    // Every place at which the first two lines can be cut.
    for room in 0..=2 * (line(1).len() + 1) {
        let small = Small::default();
        *small.room.lock().unwrap() = room;
        let mut probes = Probes::<f64>::unlimited().with_sink(JsonLines::to_stream(small.clone()));
        (1..=3).for_each(|step| probes.log("loss", step, 1.0));
        *small.room.lock().unwrap() = 10_000;
        (4..=6).for_each(|step| probes.log("loss", step, 1.0));
        let lost = match &probes.finish().undelivered[..] {
            [Error::Rejected { rejected, .. }] => *rejected,
            other => panic!("{other:?}"),
        };
        let text = String::from_utf8(small.taken.lock().unwrap().clone()).unwrap();
        let whole: Vec<&str> = text
            .lines()
            .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            .collect();
        assert_eq!(whole.len() as u64, 6 - lost, "room {room}: {text}");
        assert_eq!(whole[whole.len() - 3..], [line(4), line(5), line(6)]);
        // At most one piece, and no empty line.
        assert!(text.lines().count() <= whole.len() + 1, "{text}");
        assert!(text.lines().all(|line| !line.is_empty()), "{text}");
        assert!(text.ends_with('\n'), "{text}");
    }
}

#[test]
fn what_a_stream_takes_and_cannot_hand_on_is_counted() {
    let small = Small::default();
    let buffered = io::BufWriter::with_capacity(10_000, small);
    let mut probes = Probes::<f64>::unlimited().with_sink(JsonLines::to_stream(buffered));
    (1..=3).for_each(|step| probes.log("loss", step, 1.0));
    assert!(matches!(
        probes.finish().undelivered[..],
        [Error::Rejected { rejected: 3, .. }]
    ));
}

/// With a folder in the environment, what the child of the next test does; on its own, the plain case.
#[test]
fn file_without_a_limit_takes_all() {
    let given = std::env::var_os("PROBES_TEST_FOLDER");
    let own = tempfile::tempdir().unwrap();
    let folder = given.as_deref().map_or(own.path(), std::path::Path::new);
    let mut probes = Probes::<f64>::unlimited()
        .with_sink(JsonLines::create(folder.join("run.jsonl")).unwrap())
        .with_sink(TensorBoard::create(folder).unwrap());
    (0..2000).for_each(|step| probes.log("loss", step, 1.0));
    // A tag twice at one step, beside what the limit costs: both are told.
    probes.log("loss", 1999, 1.0);
    probes.record(super::sinks::sample().remove(4));
    for error in probes.finish().undelivered {
        println!("\nundelivered: {error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn file_at_its_limit_holds_whole_lines_only_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["--exact", "failures::file_without_a_limit_takes_all"])
        .arg("--nocapture")
        .env("PROBES_TEST_FOLDER", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{:?} {said}", output.status);
    let text = std::fs::read_to_string(folder.path().join("run.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let lines = text.lines();
    assert!(
        lines.clone().count() > 10
            && lines
                .clone()
                .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
    let lost = 2002 - lines.count();
    assert!(
        said.contains(&format!("{lost} record(s) did not reach JSON lines")),
        "{lost}: {said}"
    );
    // The event file lacks what came after its limit and the step that came twice.
    assert!(
        said.contains("1 record(s) did not reach TensorBoard; the first because: step 1999")
            && said.contains("value(s) are missing from"),
        "{said}"
    );
}
