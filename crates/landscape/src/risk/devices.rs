//! The devices over which a risk is spread.

use std::sync::{Arc, Mutex, MutexGuard};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use derivatives::attempt;

use super::Risk;
use crate::batch::Batch;
use crate::error::Error;

/// A device that failed while something was measured on it, and is no longer used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostDevice {
    /// Position among the devices that were given, from zero.
    pub position: usize,
    /// The failure, in the words of the device's backend.
    pub reason: String,
}

/// Devices over which risks are spread, and which of them have failed. Clones are the same set.
///
/// [`Risk::on_devices`] makes one for a risk. Several risks on the same devices share one, by
/// [`Risk::spread_over`], so that a device that has failed for one is not used for the others.
#[derive(Debug, Clone)]
pub struct Devices {
    all: Arc<[Device]>,
    lost: Arc<Mutex<Vec<LostDevice>>>,
}

impl Devices {
    /// Takes some devices, all of which answer. One may be there several times: it then has a share
    /// for each.
    ///
    /// # Errors
    /// No device, one that does not answer, and devices of which some compute in f64 and others do
    /// not: the numbers would be of two kinds.
    pub fn new(devices: &[Device]) -> Result<Self, Error> {
        if devices.is_empty() {
            return Err(Error::Setting {
                name: "number of devices",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        let found = Self {
            all: devices
                .iter()
                .cloned()
                .map(Device::without_autodiff)
                .collect(),
            lost: Arc::default(),
        };
        let mut doubles = Vec::with_capacity(devices.len());
        for (position, device) in found.all.iter().enumerate() {
            if let Some(reason) = silence(device) {
                return Err(found.lose(position, reason));
            }
            let supports = attempt(|| device.supports_dtype(DType::F64));
            doubles.push(supports.map_err(|reason| found.lose(position, reason))?);
        }
        check_float_support(&doubles)?;
        Ok(found)
    }

    /// Returns those that have failed, in that order.
    #[must_use]
    pub fn lost_devices(&self) -> Vec<LostDevice> {
        self.lost().clone()
    }

    /// Returns whether both are one set.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lost, &other.lost)
    }

    /// Returns the devices that have not failed, each with its position.
    fn live(&self) -> Vec<usize> {
        let lost = self.lost();
        let is_live = |position: &usize| lost.iter().all(|lost| lost.position != *position);
        (0..self.all.len()).filter(is_live).collect()
    }

    /// Returns position and device for a share of the data: its own, or where that has failed one
    /// of the others.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`] where all have.
    pub(super) fn of_share(&self, share: usize) -> Result<(usize, Device), Error> {
        let live = self.live();
        let position = if live.contains(&share) {
            share
        } else if live.is_empty() {
            let last = self.lost().last().cloned();
            return Err(self.failure(&last.expect("all have failed, and there is one")));
        } else {
            live[share % live.len()]
        };
        Ok((position, self.all[position].clone()))
    }

    /// Returns how many were given.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns whether all devices compute in this float type.
    pub(crate) fn support(&self, dtype: DType) -> bool {
        let supports = |device: &Device| attempt(|| device.supports_dtype(dtype));
        self.all.iter().all(|device| supports(device) == Ok(true))
    }

    /// Notes that a device has failed, and returns the error that says so.
    pub(super) fn lose(&self, position: usize, reason: String) -> Error {
        let mut lost = self.lost();
        let known = lost.iter().position(|lost| lost.position == position);
        let known = known.unwrap_or_else(|| {
            lost.push(LostDevice { position, reason });
            lost.len() - 1
        });
        let found = lost[known].clone();
        drop(lost);
        self.failure(&found)
    }

    fn failure(&self, lost: &LostDevice) -> Error {
        Error::DeviceFailed {
            position: lost.position,
            devices: self.all.len(),
            left: self.live().len(),
            reason: lost.reason.clone(),
        }
    }

    fn lost(&self) -> MutexGuard<'_, Vec<LostDevice>> {
        self.lost.lock().expect("nothing panics while it is locked")
    }
}

/// Checks that all devices compute in f64, or none does; `doubles` says it of each.
fn check_float_support(doubles: &[bool]) -> Result<(), Error> {
    let place = |wanted: bool| doubles.iter().position(|&doubles| doubles == wanted);
    match (place(true), place(false)) {
        (Some(with), Some(without)) => Err(Error::DeviceTypes { with, without }),
        _ => Ok(()),
    }
}

/// Returns that a device does not answer and why; none where it computes.
pub(super) fn silence(device: &Device) -> Option<String> {
    let sum = || {
        let two: f32 = (Tensor::<1>::ones([1], device) + 1.0).into_scalar();
        two
    };
    let panic = attempt(sum).err()?;
    // Burn's advice on its own functions stands before it, and what closes that after it.
    let mut cause = panic.rsplit("Caused by: ").next().unwrap_or_default();
    while cause.matches(')').count() > cause.matches('(').count() {
        cause = cause.strip_suffix(')').unwrap_or_default();
    }
    Some(format!("it does not answer ({cause})"))
}

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns the same risk, measured on several devices at once: each has a share of the data and
    /// of every product, gradient, value and point of a slice, and the host adds what they give in
    /// the order of the data.
    ///
    /// The data are divided by their number of examples, into neighbouring batches; a batch on a
    /// boundary is cut where that changes nothing but the rounding, and goes to one side otherwise.
    /// Streamed batches go round: every device reads the whole stream, and takes each D-th batch.
    /// The model stays on its own device, which need be none of these; vectors come from there and
    /// go back there. One device may be named several times: a share each. A sum depends on the
    /// number of devices in its rounding only, and not on which of them was first: with the same
    /// devices it is the same, bit for bit.
    ///
    /// What looks at single examples ([`Objective::example_gradients`](super::Objective),
    /// [`per_example`](crate::per_example), [`activations`](mod@crate::activations)) and what
    /// checks a closure before it is used runs on the model's own device.
    ///
    /// # A device that fails
    /// One that panics or no longer answers is not used again, by this risk and its clones.
    /// A product that needed it is [`Error::DeviceFailed`], never a sum of the other shares; asked
    /// for again, it is made by the devices that are left. Values, gradients, slices and the
    /// estimators of a trace do so by themselves. [`lost_devices`](Self::lost_devices) says which
    /// have failed.
    ///
    /// # Cost
    /// Once, at the first use: its share of the data and the model go to each device, and are
    /// recorded there. For each product the vector goes to every device and a product comes back,
    /// P numbers each way for a device, whatever the size of the data; a value of a slice moves its
    /// coordinates and its value. To a remote device of Burn's go the operations too, one by one
    /// and by name, which is far more: see the table in the README of this crate. Several
    /// devices pay where a product takes longer than that.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::{Hessian, LinearOperator, Risk, download};
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
    /// let x = Tensor::<2>::from_floats([[1.0], [2.0], [3.0], [4.0]], &device);
    /// let risk = Risk::mean(x, |model: &Linear, x: &Tensor<2>| {
    ///     model.forward(x.clone()).square().mean()
    /// });
    /// // Burn's `Device::enumerate` lists those of a machine, or of a remote server.
    /// let risk = risk.on_devices(&[Device::flex(), Device::flex()])?;
    /// let hessian = Hessian::at(&model, &risk)?;
    /// let product = hessian.apply(&hessian.domain().upload(&[1.0])?)?;
    /// assert!((download(&product)[0] - 15.0).abs() < 1e-5); // 2 mean(x²)
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Devices::new`].
    pub fn on_devices(&self, devices: &[Device]) -> Result<Self, Error> {
        Ok(self.spread_over(&Devices::new(devices)?))
    }

    /// Returns the same risk on devices that others are spread over too; see
    /// [`on_devices`](Self::on_devices).
    #[must_use]
    pub fn spread_over(&self, devices: &Devices) -> Self {
        Self {
            devices: Some(devices.clone()),
            ..self.clone()
        }
    }

    /// Returns the devices that have failed while this risk or a clone of it was measured.
    #[must_use]
    pub fn lost_devices(&self) -> Vec<LostDevice> {
        let devices = self.devices.as_ref();
        devices.map_or_else(Vec::new, Devices::lost_devices)
    }

    /// Returns the devices over which it is spread, if it is.
    pub(crate) const fn devices(&self) -> Option<&Devices> {
        self.devices.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_two_kinds_of_float_support_are_refused_in_one_sentence() {
        for alike in [&[true][..], &[false], &[true; 3], &[false; 3]] {
            assert!(check_float_support(alike).is_ok(), "{alike:?}");
        }
        for (doubles, with, without) in [
            (&[true, false][..], "device 1", "device 2"),
            (&[false, false, true], "device 3", "device 1"),
        ] {
            let error = check_float_support(doubles).expect_err("two kinds");
            let text = error.to_string();
            let [first, second] = [
                format!("{with} computes in f64"),
                format!("{without} does not"),
            ];
            assert!(text.contains(&first) && text.contains(&second), "{text}");
            assert_eq!(text.lines().count(), 1, "{text}");
        }
    }
}
