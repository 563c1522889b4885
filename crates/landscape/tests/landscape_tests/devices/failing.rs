//! Devices that fail, and those that are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::DataLoader;
use landscape::spectrum::hutchinson_trace;
use landscape::{
    Devices, Error, Hessian, LinearOperator, ParameterSpace, Risk, TensorMapper, TraceConfig,
    download, random_directions,
};

use super::loader;
use super::subject::{
    Examples, Net, ROUNDING, batch, cross_entropy, difference, flex, net, outputs, risk, waves,
};

/// A batch that panics on its way to a device for the n-th time: a device that fails in the middle.
#[derive(Debug, Clone)]
struct Failing {
    batch: Examples,
    /// Losses until one fails.
    left: Option<Arc<AtomicUsize>>,
}

impl landscape::Batch for Failing {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self {
            batch: landscape::Batch::map(self.batch, f),
            left: self.left,
        }
    }
}

/// A risk of which the second of three batches fails the evaluation after so many.
fn failing(left: &Arc<AtomicUsize>) -> Risk<Net, Failing> {
    let batches: Vec<Failing> = [0.3, 0.9, 1.7]
        .into_iter()
        .enumerate()
        .map(|(index, frequency)| Failing {
            batch: batch(8, frequency),
            left: (index == 1).then(|| Arc::clone(left)),
        })
        .collect();
    let streamed: Arc<dyn DataLoader<Failing>> = Arc::new(loader::Counting(batches));
    Risk::mean(streamed, |net: &Net, batch: &Failing| {
        cross_entropy(outputs(net, &batch.batch), &batch.batch)
    })
}

impl loader::Counted for Failing {
    /// Panics when its time has come, once.
    fn read(&self) {
        if let Some(left) = &self.left {
            let before = left.fetch_sub(1, Ordering::SeqCst);
            assert!(before != 1, "the device is gone");
        }
    }
}

#[test]
fn a_product_whose_device_fails_is_an_error_and_the_next_one_is_made_by_the_others() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let alone = Hessian::at(&net, &risk).unwrap();
    let v = alone.domain().upload(&waves(alone.dim(), 0.3)).unwrap();
    let expected = download(&alone.apply(&v).unwrap());
    let spread = risk.on_devices(&flex(3)).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    let product = |hessian: &Hessian<_, _>| hessian.apply(&v).map(|product| download(&product));
    assert!(difference(&product(&hessian).unwrap(), &expected) < ROUNDING);
    left.store(1, Ordering::SeqCst);
    let failed = product(&hessian).expect_err("a device has failed");
    let text = failed.to_string();
    assert!(
        matches!(
            failed,
            Error::DeviceFailed {
                devices: 3,
                left: 2,
                ..
            }
        ),
        "{text}"
    );
    assert!(
        text.contains("the device is gone") && text.contains("of 3 failed"),
        "{text}"
    );
    assert_eq!(spread.lost_devices().len(), 1);
    assert!(difference(&product(&hessian).unwrap(), &expected) < ROUNDING);
    assert_eq!(spread.lost_devices().len(), 1);
}

#[test]
fn a_trace_goes_on_with_the_devices_that_are_left() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let config = TraceConfig::new()
        .with_seed(5)
        .with_min_probes(4)
        .with_max_probes(6);
    let trace = |risk: &Risk<Net, Failing>| {
        let hessian = Hessian::at(&net, risk).unwrap();
        left.store(7, Ordering::SeqCst);
        hutchinson_trace(&hessian, &config).map(|trace| trace.estimate.mean)
    };
    let spread = risk.on_devices(&flex(3)).unwrap();
    let gone_on = trace(&spread).unwrap();
    assert_eq!(spread.lost_devices().len(), 1);
    let devices = Devices::new(&flex(3)).unwrap();
    let undisturbed = Hessian::at(&net, &risk.spread_over(&devices)).unwrap();
    let undisturbed = hutchinson_trace(&undisturbed, &config)
        .unwrap()
        .estimate
        .mean;
    assert!(devices.lost_devices().is_empty());
    assert!((gone_on / undisturbed - 1.0).abs() < ROUNDING);
}

#[test]
fn a_surface_goes_on_with_the_devices_that_are_left() {
    let net = net();
    let left = Arc::new(AtomicUsize::new(1 << 30));
    let risk = failing(&left);
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let grid = landscape::Grid::square(-1.0..=1.0, 4);
    let expected = landscape::plane(&net, &risk, [&d1, &d2], &grid).unwrap();
    let spread = risk.on_devices(&flex(3)).unwrap();
    left.store(9, Ordering::SeqCst);
    let found = landscape::plane(&net, &spread, [&d1, &d2], &grid).unwrap();
    assert_eq!(spread.lost_devices().len(), 1);
    assert!(difference(&expected.loss, &found.loss) < ROUNDING);
}

#[test]
fn what_fails_on_every_device_ends_with_an_error() {
    let net = net();
    let batches = vec![batch(4, 0.3), batch(4, 0.9)];
    let risk = Risk::mean(batches, |_: &Net, _: &Examples| {
        panic!("a slip of the closure")
    });
    let error = risk.on_devices(&flex(2)).unwrap().value(&net).unwrap_err();
    assert!(matches!(error, Error::LossPanicked { .. }), "{error}");
}

#[test]
fn devices_that_do_not_go_together_are_refused() {
    let risk = risk(batch(4, 0.3));
    let none = risk.on_devices(&[]).unwrap_err();
    assert_eq!(
        none.to_string(),
        "number of devices is 0; it must be at least 1"
    );
}
