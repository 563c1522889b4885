//! The Rust of the READMEs, run as it stands there: every line of their code blocks is a line of
//! this file or of a program beside it.

mod learner;
mod learner_after;
mod learner_before;
mod loop_after;
mod loop_before;

use std::sync::Mutex;

use anyhow::{Result, anyhow};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, batches};
use models::{Mlp, MlpConfig};

/// The process has one current folder; the README's paths are relative to it.
static IN_A_FOLDER: Mutex<()> = Mutex::new(());

fn loss(model: &Mlp, x: &Tensor<2>, y: &Tensor<1, Int>) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&x.device());
    cross_entropy.forward(model.forward(x.clone()), y.clone())
}

use self::loss as cross_entropy;

type Pairs = Vec<(Tensor<2>, Tensor<1, Int>)>;

fn model_and_batches() -> Result<(Mlp, Pairs)> {
    let device = Device::flex().autodiff();
    let data = Digits::load()?.images.select(&(0..200).collect::<Vec<_>>());
    let batches = batches(&data, 128, &device)?.into_iter();
    let batches = batches
        .map(|b| (b.images.flatten(1, 3), b.labels))
        .collect();
    Ok((
        MlpConfig::new(vec![64, 12, 10])
            .init_seeded(1, &device)
            .expect("a network"),
        batches,
    ))
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn curvature_and_slice_snippets_run() -> Result<()> {
use landscape::{Hessian, LanczosConfig, TraceConfig, hutchinson_trace, top_eigenpairs};
    use landscape::Risk;
use landscape::{Grid, ParameterSpace, filter_normalize, plane, random_directions};
use probes::show::contour;
    let (model, batches) = model_and_batches()?;

let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));
let hessian = Hessian::at(&model, &risk)?;
for pair in top_eigenpairs(&hessian, 5, &LanczosConfig::new().with_seed(7))? {
    println!("lambda = {:+.4e}  residual {:.1e}", pair.value, pair.residual);
}
let trace = hutchinson_trace(&hessian, &TraceConfig::new().with_relative_error(0.02).with_seed(7))?;
let space = ParameterSpace::of(&model)?;
let [d1, d2] = random_directions(&space, 42);
let [d1, d2] = [filter_normalize(&space, &model, d1)?, filter_normalize(&space, &model, d2)?];
let surface = plane(&model, &risk, [&d1, &d2], &Grid::square(-1.0..=1.0, 51))?;
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;
contour(&surface, "Training loss")?.save("surface.png")?;    // or surface.svg
    assert!(std::fs::read("surface.png")?.starts_with(b"\x89PNG"));
    assert!(trace.estimate.standard_error > 0.0 && trace.products >= 16);
    assert!((surface.at(25, 25) - risk.value(&model)?).abs() < 1e-6);
    Ok(())
}

// From crates/landscape/README.md.
#[test]
#[rustfmt::skip]
fn devices_snippet_runs() -> Result<()> {
    use landscape::{Hessian, LinearOperator, ParameterSpace, Risk, random_directions};
    let (model, batches) = model_and_batches()?;
    let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));
    let [v, _] = random_directions(&ParameterSpace::of(&model)?, 42);
    let alone = Hessian::at(&model, &risk)?.apply(&v)?;
let risk = risk.on_devices(&[Device::flex(), Device::flex()])?;    // on a machine with two cards, Device::cuda(0) and (1)
let hessian = Hessian::at(&model, &risk)?;            // eigenvalues, traces, slices: all as before
for lost in risk.lost_devices() {
    println!("device {} failed: {}", lost.position, lost.reason);
}
    let gap = (hessian.apply(&v)? - alone.clone()).abs().max().into_scalar::<f32>();
    assert!(gap < 1e-5 * alone.abs().max().into_scalar::<f32>(), "{gap}");
    assert!(risk.lost_devices().is_empty());
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn sam_and_probe_snippets_run() -> Result<()> {
use sam::SamConfig;
use landscape::{Grid, Risk};
use probes::instrument::{GradientNorm, LossSurface, TopEigenvalues};
use probes::sink::{Folder, TensorBoard};
use probes::{Probes, Schedule};
    let (mut model, batches) = model_and_batches()?;
    let (x, y) = batches[0].clone();
let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));
    let loss = move |model: &Mlp| cross_entropy(model, &x, &y);
    let (mut optim, lr, steps) = (SgdConfig::new().init(), 0.1, 20);
    let before = risk.value(&model)?;
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;
    let mut sam = SamConfig::new().with_rho(0.05).init()?;
let run = format!("runs/mine/{}", std::time::UNIX_EPOCH.elapsed()?.as_millis());    // a folder for each start
let mut probes = Probes::new()    // at most 5 % of the time, unless with_budget says otherwise
    .with(Schedule::every(20), GradientNorm::of(&risk))
    .with(Schedule::log_spaced(8), TopEigenvalues::of(&risk, 1).with_seed(7))
    .with(Schedule::at_end(), LossSurface::of(&risk, Grid::square(-1.0..=1.0, 51)))
    .with_total_steps(steps)
    .with_sink(TensorBoard::create(&run)?)
    .with_sink(Folder::create(&run)?);    // the pictures, and their numbers as CSV and JSON
    for step in 1..=steps {
        model = sam.step(&mut optim, lr, model, |m| loss(m))?.model;
probes.observe(step, &model)?;
    }
println!("{}", probes.finish());    // what was measured, what it took, what was left out
    assert!(risk.value(&model)? < before);
    assert_eq!(tensorboard::existing_event_files(&run)?.len(), 1);
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn analysis_and_learning_rate_snippets_run() -> Result<()> {
use landscape::{Reduction, Risk};
use probes::{Depth, analyze};
use landscape::stability::OptimiserSettings;
use probes::{LearningRateConfig, learning_rate_test};
    let (model, batches) = model_and_batches()?;
    let sgd = SgdConfig::new();
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;
let outputs = |model: &Mlp, (x, _): &(Tensor<2>, Tensor<1, Int>)| model.forward(x.clone());
let loss = |logits: Tensor<2>, (_, y): &(Tensor<2>, Tensor<1, Int>)| CrossEntropyLoss::new(None, &y.device()).forward(logits, y.clone());
let risk = Risk::of(&batches, outputs, loss, Reduction::Mean);
let analysis = analyze(&model, &risk, Depth::Standard)?;    // at most half a minute; or Quick, Thorough, Depth::Quick.with_seconds(2.0)
println!("{analysis}");
analysis.report()?.write("report.html")?;
    assert_eq!(analysis.to_string().lines().count(), 10);
    assert!(std::fs::read_to_string("report.html")?.contains("</html>"));
let config = LearningRateConfig::new().with_optimiser(Some(OptimiserSettings::try_from(&sgd)?));
let test = learning_rate_test(&model, &risk, &sgd.init(), &config)?;
println!("{test}");
test.picture()?.save("learning_rate.svg")?;
    assert!(test.suggestion.is_some());
    assert!(std::fs::read_to_string("learning_rate.svg")?.starts_with("<svg"));
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn diagnosis_snippet_runs() -> Result<()> {
use probes::diagnosis::Facts;
    use probes::Probes;
    let (model, _) = model_and_batches()?;
let mut probes = Probes::new() // .. with probes and sinks
    .with_diagnosis(Facts::new().with_classes(10).with_validation_examples(2000));
    for step in 1..=40_u64 {
        let loss = 2.3 / step as f64;
probes.log("loss/train", step, loss);
        probes.observe(step, &model)?;
    }
let summary = probes.finish();
    let found = summary.diagnosis.as_ref().map(|found| found.findings.len());
    assert_eq!(found, Some(0));
println!("{}", summary.diagnosis.expect("it was asked for"));
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn store_snippet_runs() -> Result<()> {
    use std::ops::ControlFlow;
    use landscape::slice::{Quantity, Slice};
    use landscape::{Grid, ParameterSpace, Risk, random_directions};
use probes::export;
use probes::store::{Identity, MeasureConfig, SliceStore, checksum, measure_into};
    let (model, batches) = model_and_batches()?;
    let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));
    let [first, second] = random_directions(&ParameterSpace::of(&model)?, 42);
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;

let slice = Slice::along(&model, [&first, &second], [Quantity::of("training loss", &risk)])?;
let identity = Identity {
    model: checksum::of_model(&model),
    directions: checksum::of_directions(&[&first, &second]),
    data: checksum::of_batches(&batches),
    normalisation: "by filter".into(),
    ..Identity::of_slice(&slice, Grid::square(-1.0..=1.0, 101))
};
let mut store = SliceStore::open_or_create("surface.slice", &identity)?;
measure_into(&slice, &mut store, &MeasureConfig::new(), |progress| {
    println!("{} of {} points", progress.recorded, progress.points);
    ControlFlow::Continue(())
})?;
export::write(&store.values(), "surface.npz")?;    // or .csv, .json, .vtk
    assert!(store.is_complete() && std::fs::read("surface.npz")?.starts_with(b"PK"));
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stdout, reason = "as in the README")]
fn path_snippet_runs() -> Result<()> {
    use std::ops::ControlFlow;
use landscape::connectivity::{Curve, CurveConfig, Shape, profile, train_curve};
use landscape::slice::{Buffers, linspace};
    use burn::optim::AdamConfig;
    use landscape::Risk;
    let (a, batches) = model_and_batches()?;
    let b = MlpConfig::new(vec![64, 12, 10]).init_seeded(2, &Device::flex().autodiff()).expect("a network");
    let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));

let curve = Curve::between(&a, &b, Shape::Bezier)?;
let config = CurveConfig::new(0.01).with_steps(200);
let trained = train_curve(curve, &risk, &mut AdamConfig::new().init(), &config, |_| ControlFlow::Continue(()))?;
let path = profile(&trained.curve, &risk, &Buffers::Recompute(risk.clone()), &linspace(0.0..=1.0, 41))?;
println!("barrier {:.3} at t = {:.2}, {}", path.barrier, path.barrier_t, path.verdict);
    assert!(trained.steps == 200 && !trained.diverged && path.barrier.is_finite());
    Ok(())
}

#[rustfmt::skip]
#[test]
#[allow(clippy::print_stderr, reason = "as in the README")]
fn background_snippet_runs() -> Result<()> {
    use landscape::Risk;
    use probes::instrument::TopEigenvalues;
    use probes::sink::TensorBoard;
    use probes::{Probes, Schedule};
    let (model, batches) = model_and_batches()?;
    let risk = Risk::mean(&batches, |model: &Mlp, (x, y): &(Tensor<2>, Tensor<1, Int>)| loss(model, x, y));
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;

let mut probes = Probes::unlimited()
    .with(Schedule::every(100), TopEigenvalues::of(&risk, 1))
    .with_sink(TensorBoard::create("runs/mine")?)
    .in_background();
    let mut lambda = None;
    for step in [0, 1] {
let observed = probes.observe(step, &model)?;
for (step, probe, error) in observed.failures() {
    eprintln!("{probe} failed at step {step}: {error}");
}
let found = probes.wait();
        lambda = lambda.or(found.first().and_then(|found| found.scalar("curvature/lambda_1")));
    }
    assert!(lambda.is_some() && probes.finish().delivered()?.failed == 0);
    Ok(())
}

#[rustfmt::skip]
#[test]
fn checkpoint_snippet_runs() -> Result<()> {
use burn::{module::Module, store::ModuleRecord};
use datasets::{SplitConfig, fixed_sample};
    let device = Device::flex().autodiff();
    let saved = MlpConfig::new(vec![64, 128, 64, 10]).init_seeded(5, &device).expect("a network");
    let folder = tempfile::tempdir()?;
    let _guard = IN_A_FOLDER.lock().map_err(|_| anyhow!("another test failed"))?;
    std::env::set_current_dir(folder.path())?;
    // As the program writes it.
    std::fs::create_dir_all("runs/quickstart/sgd/checkpoints/step-00001020")?;
    let bytes = saved.valid().into_record().into_bytes()?;
    std::fs::write("runs/quickstart/sgd/checkpoints/step-00001020/model.bpk", &bytes[..])?;

let record = ModuleRecord::load("runs/quickstart/sgd/checkpoints/step-00001020/model.bpk")?;
let model = MlpConfig::new(vec![64, 128, 64, 10]).init(&device)?.load_record(record);
let train = Digits::load()?.split(&SplitConfig::new().with_validation(0.2).with_seed(0))?.train;
let sample = train.select(&fixed_sample(0, 1024, train.len()));
    let inputs: Tensor<2> = batches(&sample, 1024, &device)?.remove(0).images.flatten(1, 3);
    let difference = (model.forward(inputs.clone()) - saved.forward(inputs)).abs().max();
    assert_eq!((sample.len(), difference.into_scalar::<f32>()), (1024, 0.0));
    Ok(())
}

/// The lines of a program that the other has not.
fn only_in<'a>(program: &'a str, other: &str) -> Vec<&'a str> {
    let is_other = |line: &&str| !other.lines().any(|of_other| of_other == *line);
    program.lines().filter(is_other).collect()
}

#[test]
fn sam_takes_the_place_of_three_lines_of_a_loop_and_adds_one_and_its_use() -> Result<()> {
    let (before, after) = (
        include_str!("loop_before.rs"),
        include_str!("loop_after.rs"),
    );
    let (taken, given) = (only_in(before, after), only_in(after, before));
    // The first line names the program, and an import is used no more.
    assert_eq!(taken.len(), 5, "{taken:#?}");
    assert_eq!(given.len(), 7, "{given:#?}");
    let marked = given.iter().filter(|line| line.contains("// "));
    assert_eq!(marked.filter(|line| !line.starts_with("//!")).count(), 4);
    // Ten classes guessed at random have a loss of 2.3.
    for loss in [loop_before::train()?, loop_after::train()?] {
        assert!(loss < 0.7, "{loss}");
    }
    Ok(())
}

#[test]
fn every_line_of_the_readmes_is_run() {
    let readmes = [
        include_str!("../../README.md"),
        include_str!("../../crates/cli/README.md"),
        include_str!("../../crates/landscape/README.md"),
        include_str!("../../crates/probes/README.md"),
    ];
    let here = [
        include_str!("test.rs"),
        include_str!("loop_after.rs"),
        include_str!("learner_after.rs"),
        include_str!("../workload/src/main.rs"),
    ];
    let mut lines = 0;
    let mut inside = false;
    for line in readmes.into_iter().flat_map(str::lines) {
        match line {
            "```rust" => inside = true,
            "```" => inside = false,
            line if inside && !line.starts_with("//") && !line.is_empty() => {
                lines += 1;
                let mut own = here.into_iter().flat_map(str::lines);
                let is_run = own.any(|own| own.trim() == line.trim());
                assert!(is_run, "not run: {line}");
            }
            _ => {}
        }
    }
    assert!(lines > 100, "{lines} lines of Rust in the READMEs");
}
