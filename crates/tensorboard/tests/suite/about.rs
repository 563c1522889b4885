//! What a run says about itself: descriptions of its tags, its settings, and the columns of their table.

use std::fs;
use std::path::Path;
use tensorboard::{
    Columns, Error, EventWriter, Hparams, Setting, SettingKind, Status, Value, read_events,
};

fn raw(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes
        .windows(text.len())
        .filter(|w| *w == text.as_bytes())
        .count()
}

#[test]
fn description_stands_at_the_first_value_of_its_tag_in_every_file() {
    let folder = tempfile::tempdir().unwrap();
    for part in 0..2 {
        let mut writer = EventWriter::resume(folder.path(), Some(3 * part)).unwrap();
        // Said twice, the later counts; a description of a tag without values is not written.
        writer.describe("loss", "an earlier sentence").unwrap();
        writer.describe("loss", "what the loss is").unwrap();
        writer.describe("never", "no value follows").unwrap();
        for step in 3 * part..3 * part + 3 {
            writer.scalar("loss", step, 1.0).unwrap();
            writer.scalar("other", step, 1.0).unwrap();
        }
        let before = raw(writer.path());
        let late = writer.describe("loss", "too late").unwrap_err();
        assert!(matches!(&late, Error::DescribedLate { tag } if tag == "loss"));
        assert!(matches!(
            writer.describe("", "of nothing"),
            Err(Error::EmptyTag)
        ));
        assert_eq!(raw(writer.path()), before);
        assert_eq!(count(&before, "what the loss is"), 1);
        assert_eq!(count(&before, "an earlier sentence"), 0);
        assert_eq!(count(&before, "no value follows"), 0);
        let read = read_events(writer.path()).unwrap();
        assert_eq!(read.scalars("loss").len(), 3);
    }
}

#[test]
fn description_of_a_value_that_was_refused_waits_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::resume(folder.path(), Some(5)).unwrap();
    writer.describe("loss", "what the loss is").unwrap();
    assert!(writer.scalar("loss", 4, 1.0).is_err());
    writer.describe("loss", "what the loss was").unwrap();
    writer.scalar("loss", 5, 1.0).unwrap();
    assert_eq!(count(&raw(writer.path()), "what the loss was"), 1);
}

#[test]
fn settings_are_written_at_the_first_step_and_the_end_after_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::resume(folder.path(), Some(20)).unwrap();
    let hparams = Hparams::new([("method", "sam".into()), ("rho", Setting::from(0.05))]);
    writer.hparams(&hparams).unwrap();
    writer
        .columns(&Columns::of(&[&hparams], &["loss"]))
        .unwrap();
    writer.scalar("loss", 41, 1.0).unwrap();
    writer.end_session(Status::Success, None).unwrap();
    let points = read_events(writer.path()).unwrap().points;
    let steps: Vec<_> = points.iter().map(|p| (p.tag.as_str(), p.step)).collect();
    assert_eq!(
        steps,
        [
            ("_hparams_/session_start_info", 20),
            ("_hparams_/experiment", 20),
            ("loss", 41),
            ("_hparams_/session_end_info", 41)
        ]
    );
    assert_eq!(points[0].value, Value::Other("hparams".into()));
    // The same twice would not be looked at.
    assert!(matches!(
        writer.hparams(&hparams),
        Err(Error::StepNotIncreasing { .. })
    ));
    assert_eq!(writer.finish().unwrap().values, 4);
}

#[test]
fn settings_that_the_page_cannot_show_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(folder.path()).unwrap();
    let before = raw(writer.path());
    for (name, setting) in [
        ("rho", Setting::from(f64::NAN)),
        ("rho", Setting::from(f64::INFINITY)),
        ("", Setting::from(true)),
    ] {
        let error = writer
            .hparams(&Hparams::new([(name, setting)]))
            .unwrap_err();
        assert!(matches!(&error, Error::Setting { name: named, .. } if named == name));
    }
    let mut columns = Columns::of(&[&Hparams::new([("", Setting::from(true))])], &[]);
    assert!(matches!(
        writer.columns(&columns),
        Err(Error::Setting { .. })
    ));
    columns = Columns::of(&[], &[""]);
    assert!(matches!(writer.columns(&columns), Err(Error::EmptyTag)));
    assert_eq!(raw(writer.path()), before);
}

#[test]
fn columns_hold_every_setting_with_those_that_differ_first() {
    let run = |method: &str, more: &[(&str, Setting)]| {
        let same = [("model", Setting::from("mlp")), ("method", method.into())];
        Hparams::new(same.into_iter().chain(more.iter().cloned()))
    };
    let sgd = run("sgd", &[("schedule", Setting::from(false))]);
    let sam = run(
        "sam",
        &[
            ("schedule", Setting::from(0.5)),
            ("rho", Setting::from(0.05)),
        ],
    );
    let columns = Columns::of(&[&sgd, &sam], &["loss/test"]);
    let found: Vec<_> = columns
        .settings
        .iter()
        .map(|c| (c.name.as_str(), c.kind, c.differs))
        .collect();
    assert_eq!(
        found,
        [
            ("method", SettingKind::Text, true),
            ("rho", SettingKind::Number, true),
            // A flag here and a number there.
            ("schedule", SettingKind::Text, true),
            ("model", SettingKind::Text, false),
        ]
    );
}
