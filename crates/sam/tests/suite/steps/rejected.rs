//! Steps that are refused leave no trace.

use burn::module::{Module, Param};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use sam::{Error, Pass, Rejected, SamConfig};

use crate::steps::nets::{Batch, DTYPES, Normalised, bits, flat};

#[derive(Module, Debug)]
struct Point {
    w: Param<Tensor<1>>,
}

fn point(w: f64, dtype: DType) -> Point {
    let device = Device::flex().autodiff();
    Point {
        w: Param::from_tensor(Tensor::from_data([w], (&device, dtype))),
    }
}

/// The reason of the refusal, after checking that weights and optimiser are untouched.
fn refuse(w: f64, dtype: DType, loss: impl Fn(Tensor<1>) -> Tensor<1>, calls: usize) -> Error {
    let model = point(w, dtype);
    let (id, before) = (model.w.id, flat(&model));
    let mut optim: ModuleOptimizer = AdamConfig::new().init();
    let mut called = 0;
    let refused = SamConfig::new()
        .with_rho(0.5)
        .init()
        .expect("settings in range")
        .step(&mut optim, 0.1, model, |m| {
            called += 1;
            loss(m.w.val())
        });
    let Rejected { model, reason } = refused.expect_err("the step is refused");
    assert_eq!(called, calls);
    assert_eq!((model.w.id, bits(&flat(&model))), (id, bits(&before)));
    assert!(model.w.is_require_grad());
    assert!(
        optim.to_record().is_empty(),
        "the optimiser has not been called"
    );
    reason
}

#[test]
fn infinite_loss_is_refused() {
    for dtype in DTYPES {
        let reason = refuse(1.0, dtype, |w| w / 0.0, 1);
        assert_eq!(
            reason,
            Error::Loss {
                pass: Pass::Weights,
                value: f64::INFINITY
            }
        );
    }
}

#[test]
fn gradient_that_is_not_finite_is_refused_though_the_loss_is() {
    // The square root has an infinite slope at zero.
    for dtype in DTYPES {
        let reason = refuse(0.0, dtype, |w| w.square().sqrt() + 1.0, 1);
        assert_eq!(
            reason,
            Error::Gradient {
                pass: Pass::Weights,
                loss: 1.0
            }
        );
    }
}

#[test]
fn loss_that_is_not_a_number_at_the_peak_is_refused() {
    // -ln(1 - w^2) is finite at 0.9; the peak is at 1.4.
    for dtype in DTYPES {
        let reason = refuse(0.9, dtype, |w| -(-w.square() + 1.0).log(), 2);
        assert!(
            matches!(reason, Error::Loss { pass: Pass::Peak, value } if value.is_nan()),
            "{reason}"
        );
    }
}

#[test]
fn gradient_that_is_not_finite_at_the_peak_is_refused() {
    // 2 - |w - 3/2| has the slope +1 at 1, so the peak is 3/2, the kink of the square root.
    for dtype in DTYPES {
        let reason = refuse(1.0, dtype, |w| -((w - 1.5).square().sqrt()) + 2.0, 2);
        assert_eq!(
            reason,
            Error::Gradient {
                pass: Pass::Peak,
                loss: 2.0
            }
        );
    }
}

#[test]
fn refused_batch_does_not_spoil_the_running_statistics() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let model = Normalised::new(1, &device, dtype);
        let _ = model.loss(&Batch::new(2, &device, dtype));
        let (weights, statistics) = (flat(&model.out), model.statistics());
        let mut batch = Batch::new(3, &device, dtype);
        let poison = TensorData::new(vec![f64::NAN; 32 * 6], [32, 6]);
        batch.inputs = Tensor::from_data(poison, (&device, dtype));
        let mut optim = AdamConfig::new().init();
        let refused =
            SamConfig::new()
                .init()
                .expect("settings in range")
                .step(&mut optim, 0.1, model, |m| m.loss(&batch));
        let model = refused.expect_err("a NaN is refused").model;
        assert_eq!(model.statistics(), statistics);
        assert_eq!(bits(&flat(&model.out)), bits(&weights));

        // And training goes on with it.
        let batch = Batch::new(4, &device, dtype);
        let step =
            SamConfig::new()
                .init()
                .expect("settings in range")
                .step(&mut optim, 0.1, model, |m| m.loss(&batch));
        assert!(step.is_ok());
    }
}

#[test]
fn refusal_says_what_to_do() {
    let reason = refuse(1.0, DType::F64, |w| w / 0.0, 1);
    let rejected = Rejected { model: (), reason };
    assert_eq!(
        rejected.to_string(),
        "the step was not taken: the loss at the weights is inf: lower the learning rate or rho, \
         or look at this batch"
    );
}
