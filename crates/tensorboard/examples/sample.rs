//! Writes small runs with every kind of value, descriptions and settings: a plain one, resumed
//! ones, and ones whose writer was killed.
//!
//! ```text
//! cargo run --release -p tensorboard --example sample -- runs/sample
//! tensorboard --logdir runs/sample
//! ```
//!
//! Each run directory also gets a `summary.json` with the last value of every scalar, which
//! `tests/tensorboard/read_back.py` compares with what TensorBoard says.

#![expect(clippy::print_stdout, reason = "a program that says what it wrote")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use tensorboard::{
    Bin, Chart, Columns, EventWriter, Histogram, Hparams, Layout, Margin, Mesh, Png, PrCurve,
    PrCurveConfig, Setting, Status, SurfaceConfig, existing_event_files,
};

fn main() -> Result<(), Box<dyn Error>> {
    let runs = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "runs/sample".into()),
    );

    // A fresh run.
    let plain = runs.join("plain");
    let mut writer = EventWriter::create(&plain)?;
    introduce(&mut writer, &sgd())?;
    write_steps(&mut writer, 0..60)?;
    // A diverged loss and magnitudes that f32 does not have are shown as they are.
    for (step, value) in [
        1.5,
        f64::INFINITY,
        f64::NAN,
        f64::NEG_INFINITY,
        1e300,
        1e-300,
        -0.0,
    ]
    .into_iter()
    .enumerate()
    {
        writer.scalar("loss/diverged", i64::try_from(step)?, value)?;
    }
    writer.histogram("curvature/density", 59, &density()?)?;
    writer.histogram("gradient/none", 59, &Histogram::of(&[])?)?;
    writer.histogram("gradient/equal", 59, &Histogram::of(&[1e300; 3])?)?;
    writer.image(
        "landscape/several",
        59,
        &[picture(16, 0)?, picture(16, 99)?, picture(16, 200)?],
    )?;
    write_curves(&mut writer, &plain)?;
    writer.end_session(Status::Success, Some(1_700_000_060.5))?;
    writer.finish()?;
    summary(
        &plain,
        &[
            ("loss/train", 59, loss(59)),
            ("accuracy/valid", 59, 0.59),
            ("loss/diverged", 6, -0.0),
            ("loss/upper", 59, 1.1 * loss(59)),
            ("loss/lower", 59, 0.9 * loss(59)),
        ],
    )?;

    // A run that was interrupted after step 29 and goes on from the checkpoint of step 20.
    let resumed = runs.join("resumed");
    let mut writer = EventWriter::create(&resumed)?;
    introduce(&mut writer, &sam())?;
    write_steps(&mut writer, 0..30)?;
    // The second part does not write this tag again: the data server keeps it, the Python loader
    // drops it.
    writer.text("diagnosis/superseded", 25, "written after the checkpoint")?;
    writer.finish()?;
    let mut writer = EventWriter::resume(&resumed, Some(20))?;
    introduce(&mut writer, &sam())?;
    write_steps(&mut writer, 20..50)?;
    writer.end_session(Status::Failure, Some(1_700_000_050.0))?;
    writer.finish()?;
    summary(
        &resumed,
        &[("loss/train", 49, loss(49)), ("accuracy/valid", 49, 0.49)],
    )?;

    // A run that was killed while it wrote step 39: its last record, a scalar, is cut.
    let truncated = runs.join("truncated");
    let mut writer = EventWriter::create(&truncated)?;
    let quoted = [("method", Setting::from("\"SGD\" | λ"))];
    introduce(&mut writer, &Hparams::new(quoted))?;
    write_steps(&mut writer, 0..39)?;
    writer.scalar("loss/train", 39, loss(39))?;
    let file = writer.finish()?;
    fs::OpenOptions::new()
        .write(true)
        .open(&file.path)?
        .set_len(file.bytes - 7)?;
    summary(
        &truncated,
        &[("loss/train", 38, loss(38)), ("accuracy/valid", 38, 0.38)],
    )?;

    // The same, which then went on at the step after its last whole one.
    let continued = runs.join("continued");
    let mut writer = EventWriter::create(&continued)?;
    write_steps(&mut writer, 0..25)?;
    let file = writer.finish()?;
    fs::OpenOptions::new()
        .write(true)
        .open(&file.path)?
        .set_len(file.bytes - 5)?;
    let mut writer = EventWriter::resume(&continued, Some(24))?;
    write_steps(&mut writer, 24..40)?;
    writer.finish()?;
    summary(
        &continued,
        &[("loss/train", 39, loss(39)), ("accuracy/valid", 39, 0.39)],
    )?;

    // A run that went on without knowing its step.
    let unknown = runs.join("unknown");
    let mut writer = EventWriter::create(&unknown)?;
    write_steps(&mut writer, 0..25)?;
    writer.finish()?;
    let mut writer = EventWriter::resume(&unknown, None)?;
    write_steps(&mut writer, 25..45)?;
    writer.finish()?;
    summary(
        &unknown,
        &[("loss/train", 44, loss(44)), ("accuracy/valid", 44, 0.44)],
    )?;

    for run in [plain, resumed, truncated, continued, unknown] {
        println!(
            "{}: {} event file(s)",
            run.display(),
            existing_event_files(&run)?.len()
        );
    }
    Ok(())
}

/// Settings of a run of stochastic gradient descent.
fn sgd() -> Hparams {
    let mut hparams = Hparams::new([
        ("method", Setting::from("sgd")),
        ("learning_rate", Setting::from(0.1)),
        ("nesterov", Setting::from(true)),
    ]);
    hparams.start_time = Some(1_700_000_000.25);
    hparams
}

/// Those of a run with another method, which has a setting more.
fn sam() -> Hparams {
    let mut hparams = Hparams::new([
        ("method", Setting::from("sam")),
        ("learning_rate", Setting::from(0.01)),
        ("nesterov", Setting::from(false)),
        ("rho", Setting::from(0.05)),
    ]);
    hparams.start_time = Some(1_700_000_000.25);
    hparams
}

/// What a run says before its first value: its settings, the columns of the table, and what its
/// tags hold.
fn introduce(writer: &mut EventWriter, hparams: &Hparams) -> Result<(), tensorboard::Error> {
    writer.hparams(hparams)?;
    let columns = Columns::of(&[&sgd(), &sam()], &["loss/train", "accuracy/valid"]);
    writer.columns(&columns)?;
    for (tag, markdown) in [
        (
            "loss/train",
            "Mean loss of the step's batch, `1 / (1 + step)`.",
        ),
        ("gradient/values", "Entries of the gradient."),
        (
            "landscape/contour",
            "Loss in a plane through the **weights**.",
        ),
        ("diagnosis/report", "What was found."),
    ] {
        writer.describe(tag, markdown)?;
    }
    Ok(())
}

/// Scalars at every step, the heavier kinds at every tenth.
fn write_steps(
    writer: &mut EventWriter,
    steps: std::ops::Range<i32>,
) -> Result<(), Box<dyn Error>> {
    for step in steps {
        writer.scalar("loss/train", step.into(), loss(step))?;
        writer.scalar("accuracy/valid", step.into(), f64::from(step) / 100.0)?;
        if step % 10 == 0 {
            let gradient: Vec<f64> = (0..200)
                .map(|i| (f64::from(i) * 0.7).sin() * loss(step))
                .collect();
            writer.histogram("gradient/values", step.into(), &Histogram::of(&gradient)?)?;
            writer.image("landscape/contour", step.into(), &[picture(24, step)?])?;
            writer.mesh("landscape/surface_mesh", step.into(), &surface(step)?)?;
            let report = format!(
                "## Step {step}\n\n| quantity | value |\n|---|---|\n| loss | {:.3} |\n\n*λ < 2/η* & stable",
                loss(step)
            );
            writer.text("diagnosis/report", step.into(), &report)?;
        }
    }
    Ok(())
}

fn loss(step: i32) -> f64 {
    1.0 / (1.0 + f64::from(step))
}

/// The semicircle law as mass per bin, with a gap and an outlier.
fn density() -> Result<Histogram, tensorboard::Error> {
    let semicircle = (0..20).map(|i| {
        let left = -1.0 + 0.1 * f64::from(i);
        Bin {
            left,
            right: -1.0 + 0.1 * f64::from(i + 1),
            weight: (1.0 - (left + 0.05).powi(2)).sqrt() / 15.7,
        }
    });
    let bins: Vec<Bin> = semicircle
        .chain([Bin {
            left: 3.0,
            right: 3.0,
            weight: 0.01,
        }])
        .collect();
    Histogram::from_weighted_bins(&bins)
}

/// A saddle that grows flatter with the steps, with a hole where its value is not finite.
fn surface(step: i32) -> Result<Mesh, tensorboard::Error> {
    let axis: Vec<f64> = (-6..=6).map(|i| f64::from(i) / 6.0).collect();
    let mut values = Vec::new();
    for x in &axis {
        values.extend(axis.iter().map(|y| (x * x - y * y) * loss(step)));
    }
    values[30] = f64::NAN;
    values[31] = f64::INFINITY;
    Mesh::surface(&axis, &axis, &values, &SurfaceConfig::default())
}

/// A layout with both kinds of charts, and the precision and recall of scores that are written down
/// beside them.
fn write_curves(writer: &mut EventWriter, run: &Path) -> Result<(), Box<dyn Error>> {
    let tags = Margin::new("loss/train", "loss/lower", "loss/upper");
    let layout = Layout::new()
        .with("loss", Chart::lines("both", ["loss/train$", "loss/up.*"]))
        .with("loss", Chart::margins("within a tenth", [tags]));
    writer.layout(&layout)?;
    // A chart with bands takes only lines that have all three values at the same steps.
    for step in 0..60 {
        writer.scalar("loss/upper", step.into(), 1.1 * loss(step))?;
        writer.scalar("loss/lower", step.into(), 0.9 * loss(step))?;
    }
    let scores: Vec<f64> = (0..300).map(|i| f64::from(i * 37 % 301) / 300.0).collect();
    let labels: Vec<bool> = (0..300).map(|i| (i * i * 7) % 11 > 4).collect();
    let weights: Vec<f64> = (0..300).map(|i| f64::from(i % 5) / 2.0).collect();
    for (step, weights) in [(0, None), (1, Some(weights.as_slice()))] {
        let config = PrCurveConfig {
            thresholds: 101,
            weights,
        };
        writer.pr_curve(
            "digits/seven",
            step,
            &PrCurve::of(&scores, &labels, &config)?,
        )?;
    }
    let told =
        format!("{{\"scores\": {scores:?}, \"labels\": {labels:?}, \"weights\": {weights:?}}}\n");
    Ok(fs::write(run.join("scores.json"), told)?)
}

/// A square with a colour gradient.
fn picture(side: u32, shade: i32) -> Result<Png, tensorboard::Error> {
    let channel = |x: u32| u8::try_from(x * 255 / side).unwrap_or(u8::MAX);
    let shade = u8::try_from(shade).unwrap_or(u8::MAX);
    let pixels: Vec<u8> = (0..side)
        .flat_map(|y| (0..side).flat_map(move |x| [channel(x), channel(y), shade]))
        .collect();
    Png::from_rgb(side, side, &pixels)
}

/// `{"last_scalars": {tag: {"step": n, "value": x}}}`.
fn summary(run: &Path, last: &[(&str, i64, f64)]) -> std::io::Result<()> {
    let entries: Vec<String> = last
        .iter()
        .map(|(tag, step, value)| format!("\"{tag}\": {{\"step\": {step}, \"value\": {value:?}}}"))
        .collect();
    fs::write(
        run.join("summary.json"),
        format!("{{\"last_scalars\": {{{}}}}}\n", entries.join(", ")),
    )
}
