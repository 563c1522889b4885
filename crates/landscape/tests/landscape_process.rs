//! What belongs to the whole process, in a process of its own: the panic hook, and the threads.

use std::collections::HashMap;
use std::panic::{PanicHookInfo, catch_unwind, set_hook};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::{Hessian, LinearOperator, Method, ProductConfig, Risk};

/// How often a panic with each message was seen, by whichever hook of the program was set.
static SEEN: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Trials of the library that ended in a panic.
static TRIALS: AtomicUsize = AtomicUsize::new(0);

/// One test at a time: the hook is the process's.
static ALONE: Mutex<()> = Mutex::new(());

fn count(info: &PanicHookInfo<'_>) {
    if landscape::in_trial() {
        TRIALS.fetch_add(1, Ordering::SeqCst);
        return;
    }
    let text = info.payload_as_str().unwrap_or("no text").to_owned();
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    *seen.get_or_insert_default().entry(text).or_default() += 1;
}

fn seen() -> HashMap<String, usize> {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.take().unwrap_or_default()
}

fn model() -> Linear {
    LinearConfig::new(3, 1).init(&Device::flex())
}

fn batch() -> Tensor<2> {
    let entries: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::from_data(TensorData::new(entries, [4, 3]), &Device::flex())
}

/// One closure that can be recorded, one that reads a value, and one that works for four rows only.
fn risks() -> [Risk<Linear, Tensor<2>>; 3] {
    [
        Risk::mean([batch()], |model: &Linear, x: &Tensor<2>| {
            model.forward(x.clone()).square().mean()
        }),
        Risk::mean([batch()], |model: &Linear, x: &Tensor<2>| {
            let y = model.forward(x.clone());
            let size: f64 = y.clone().abs().mean().into_scalar();
            y.square().mean() * if size < 1e9 { 1.0 } else { 2.0 }
        }),
        Risk::mean([batch()], |model: &Linear, x: &Tensor<2>| {
            model.forward(x.clone()).reshape([2, 2]).square().mean()
        }),
    ]
}

#[test]
fn program_sees_every_panic_of_its_own_exactly_once() {
    const PROGRAMS: usize = 6;
    const ROUNDS: usize = 200;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_hook(Box::new(count));
    seen();
    let begin = Barrier::new(PROGRAMS + 3);
    let running = AtomicBool::new(true);
    thread::scope(|scope| {
        let (begin, running) = (&begin, &running);
        // The library, in three threads.
        let measuring: Vec<_> = risks()
            .into_iter()
            .map(|risk| {
                scope.spawn(move || {
                    let model = model();
                    begin.wait();
                    let mut runs = 0;
                    while running.load(Ordering::SeqCst) || runs == 0 {
                        // A risk remembers what it has found out, so each is a new one.
                        let hessian = Hessian::at(&model, &risk.over([batch()]));
                        hessian.expect("a Hessian");
                        runs += 1;
                    }
                })
            })
            .collect();
        // The program: it panics, and sets its hook anew, in six.
        let programs: Vec<_> = (0..PROGRAMS)
            .map(|program| {
                scope.spawn(move || {
                    begin.wait();
                    for round in 0..ROUNDS {
                        if round % 10 == program {
                            set_hook(Box::new(count));
                        }
                        let panicked = catch_unwind(|| panic!("own {program} {round}"));
                        assert!(panicked.is_err());
                    }
                })
            })
            .collect();
        for program in programs {
            program.join().expect("a program that catches its panics");
        }
        running.store(false, Ordering::SeqCst);
        for measuring in measuring {
            measuring.join().expect("measurements");
        }
    });
    let seen = seen();
    for program in 0..PROGRAMS {
        for round in 0..ROUNDS {
            let own = format!("own {program} {round}");
            assert_eq!(seen.get(&own), Some(&1), "{own}");
        }
    }
    assert_eq!(seen.len(), PROGRAMS * ROUNDS, "no panic of another name");
    // Two of the three closures end trials by panics, which a hook can tell from its own.
    assert!(TRIALS.load(Ordering::SeqCst) > 0);
}

/// A library that put back what it found at the beginning would undo this.
#[test]
fn hook_that_is_set_while_a_hessian_is_made_stays() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    static SET: AtomicUsize = AtomicUsize::new(0);
    set_hook(Box::new(count));
    seen();
    for risk in 0..3 {
        let of = |model: &Linear, x: &Tensor<2>| {
            set_hook(Box::new(|info| {
                SET.fetch_add(1, Ordering::SeqCst);
                count(info);
            }));
            model.forward(x.clone())
        };
        let risk = match risk {
            0 => Risk::mean([batch()], move |m, x| of(m, x).square().mean()),
            1 => Risk::mean([batch()], move |m, x| {
                let y = of(m, x).square().mean();
                let value: f64 = y.clone().into_scalar();
                y * if value < 1e9 { 1.0 } else { 2.0 }
            }),
            _ => Risk::mean([batch()], move |m, x| {
                of(m, x).reshape([2, 2]).square().mean()
            }),
        };
        let hessian = Hessian::at(&model(), &risk).expect("a Hessian");
        let read = matches!(hessian.method(), Method::CentralDifference { .. });
        let before = SET.load(Ordering::SeqCst);
        assert!(catch_unwind(|| panic!("after")).is_err());
        assert_eq!(
            SET.load(Ordering::SeqCst),
            before + 1,
            "differences: {read}"
        );
        set_hook(Box::new(count));
    }
    assert_eq!(seen().get("after"), Some(&3));
}

#[test]
fn products_are_the_same_bits_on_any_number_of_threads() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::flex();
    let model = LinearConfig::new(9, 5).init(&device);
    let batches: Vec<Tensor<2>> = [300, 17, 256, 64, 5, 90]
        .iter()
        .map(|&rows| {
            let entries: Vec<f32> = (0..rows * 9).map(|i| (i as f32 * 0.37).sin()).collect();
            Tensor::from_data(TensorData::new(entries, [rows, 9]), &device)
        })
        .collect();
    let risk = Risk::mean(batches, |model: &Linear, x: &Tensor<2>| {
        model.forward(x.clone()).tanh().square().mean()
    });
    let v: Vec<f32> = (0..50).map(|i| (i as f32 * 1.3).cos()).collect();
    let v = Tensor::<1>::from_data(TensorData::new(v, [50]), (&device, DType::F32));
    let mut seen: Vec<Vec<u32>> = Vec::new();
    for threads in [Some(1), Some(2), Some(5), None] {
        let config = ProductConfig::new().with_threads(threads);
        let hessian = Hessian::at_with(&model, &risk, &config).expect("a Hessian");
        let product = hessian.apply(&v).expect("a product").into_data();
        seen.push(product.iter::<f32>().map(f32::to_bits).collect());
    }
    assert!(seen[0].iter().any(|&bits| f32::from_bits(bits) != 0.0));
    assert!(seen.iter().all(|bits| *bits == seen[0]));
}

#[test]
fn no_thread_is_a_setting_that_is_refused() {
    let risk = risks().into_iter().next().expect("three risks");
    let config = ProductConfig::new().with_threads(Some(0));
    let error = Hessian::at_with(&model(), &risk, &config).expect_err("no thread");
    assert!(error.to_string().contains("threads"), "{error}");
}
