//! What Burn's panics mean while a loss is recorded: its messages are recognised here and nowhere else.

use crate::Error;

/// Burn reads a recorded tensor that has no value.
const READS: [&str; 2] = ["has no concrete value", "no initialized value"];

/// Burn meets tensors of two devices in one operation, or is to move one to or from a recording device.
const ELSEWHERE: [&str; 4] = [
    "are not on the same device",
    "is on the wrong backend",
    "Cannot move a tensor to a capture device",
    "Cannot move a tensor from a capture device",
];

/// A tensor with autodiff is asked of a recording device, as for a `backward` inside the loss.
const DIFFERENTIATES: [&str; 1] = ["Capture tensors do not support autodiff"];

/// Returns the error that a closure's panic amounts to.
pub(crate) fn error_of_panic(message: String) -> Error {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&READS) {
        Error::ReadsData
    } else if says(&ELSEWHERE) {
        Error::Elsewhere
    } else if says(&DIFFERENTIATES) {
        Error::BackwardInside
    } else {
        Error::Panicked { message }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::Capture;

    fn error_of(loss: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Error {
        let w = Param::from_tensor(Tensor::<1>::ones([2], &Device::flex()));
        let captured = Capture::of(&w).loss(|w: &Param<Tensor<1>>, _| loss(w.val()));
        captured.map(drop).expect_err("no capture")
    }

    /// Burn's words, as it says them today.
    #[test]
    fn panics_of_burn_are_recognised() {
        assert_eq!(
            error_of(|w| w.clone() * w.into_scalar::<f32>()),
            Error::ReadsData
        );
        assert_eq!(
            error_of(|w| {
                let sum: f32 = w.clone().sum().into_scalar();
                w.sum() * sum
            }),
            Error::ReadsData
        );
        let plain = Tensor::<1>::ones([2], &Device::flex());
        let other = plain.clone();
        assert_eq!(error_of(move |w| (w * other).sum()), Error::Elsewhere);
        assert_eq!(
            error_of(move |w| (w.to_device(&Device::flex()) * plain).sum()),
            Error::Elsewhere
        );
        let tracked = Tensor::<1>::ones([2], &Device::flex().autodiff());
        assert_eq!(
            error_of(move |w| {
                let tracked = tracked.to_device(&w.device());
                (w * tracked).sum()
            }),
            Error::Elsewhere
        );
        assert_eq!(
            error_of(|w| Tensor::from_inner(w).require_grad()),
            Error::BackwardInside
        );
        let panicked = Error::Panicked {
            message: "one line and another".to_owned(),
        };
        assert_eq!(error_of(|_| panic!("one line\nand another")), panicked);
    }
}
