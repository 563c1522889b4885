//! Measurements that are spread over devices: a share each, all at once.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derivatives::attempt;

use super::devices::{Devices, silence};
use super::shares::{Share, shares};
use super::{Objective, Risk};
use crate::batch::Batch;
use crate::error::Error;
use crate::vector::Domain;

/// The course when a device fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// The error is returned, and nothing of what the others gave.
    Stop,
    /// The other devices take over its share.
    GoOn,
}

/// The shares of the data of some risks, and what is kept of each on its device, a T.
///
/// The T of a share is made by its device's thread at its first use, and made again on another
/// device if that one fails.
pub(crate) struct Spread<M, B, S, T> {
    devices: Devices,
    /// The model on its own device. Modules may be sent to a thread and not shared.
    model: Mutex<M>,
    /// For each share, all risks over its data.
    shares: Vec<Vec<Risk<M, B>>>,
    settings: S,
    make: Make<M, B, S, T>,
    made: Vec<Mutex<Option<Made<T>>>>,
}

/// The function that prepares a share on the device on which the model stands.
type Make<M, B, S, T> = fn(&M, &[Risk<M, B>], &S) -> Result<T, Error>;

/// A share on a device.
struct Made<T> {
    position: usize,
    share: T,
}

/// The failure of a share.
enum Failure {
    /// Its device, at this position, does not compute.
    Device(usize, String),
    Other(Error),
}

impl<M, B, S, T> fmt::Debug for Spread<M, B, S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spread")
            .field("devices", &self.devices)
            .field("shares", &self.shares.len())
            .finish_non_exhaustive()
    }
}

impl<M: Module, B: Batch, S: Sync, T: Send> Spread<M, B, S, T> {
    /// Spreads the data of some objectives of the same batches over the devices of the first; none
    /// where it has no devices.
    ///
    /// # Errors
    /// Data that cannot be read, and devices that have not the float type of the model.
    pub(crate) fn of(
        objectives: &[&Objective<M, B>],
        settings: S,
        make: Make<M, B, S, T>,
    ) -> Result<Option<Self>, Error> {
        let Some(objective) = objectives.first() else {
            return Ok(None);
        };
        let Some(devices) = objective.risk().devices() else {
            return Ok(None);
        };
        let dtype = objective.space().domain.dtype;
        if !devices.support(dtype) {
            // One that has failed supports nothing: that is the better error.
            let (position, device) = devices.of_share(0)?;
            return Err(match silence(&device) {
                Some(reason) => devices.lose(position, reason),
                None => Error::DeviceLacksType { dtype },
            });
        }
        let over = |share: &Share<B>| {
            let risk = |objective: &&Objective<M, B>| objective.risk().share_of(share);
            objectives.iter().map(risk).collect::<Vec<_>>()
        };
        let shares: Vec<_> = shares(objectives, devices.count())?
            .iter()
            .map(over)
            .collect();
        Ok(Some(Self {
            devices: devices.clone(),
            model: Mutex::new(objective.tracked().valid()),
            made: shares.iter().map(|_| Mutex::default()).collect(),
            shares,
            settings,
            make,
        }))
    }

    /// Returns what `job` gives for each share, in the order of the data. Each share has a thread.
    ///
    /// # Errors
    /// That of the first share with one; [`Error::DeviceFailed`] where a device fails and the
    /// others shall not, or cannot, take over.
    pub(crate) fn each<R: Send>(
        &self,
        on_failure: OnFailure,
        job: impl Fn(&T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let mut results: Vec<Option<R>> = self.shares.iter().map(|_| None).collect();
        loop {
            let missing: Vec<usize> = results
                .iter()
                .enumerate()
                .filter_map(|(share, result)| result.is_none().then_some(share))
                .collect();
            if missing.is_empty() {
                return Ok(results.into_iter().flatten().collect());
            }
            let job = &job;
            let found: Vec<Result<R, Failure>> = std::thread::scope(|scope| {
                let start = |&share: &usize| scope.spawn(move || self.run(share, job));
                let threads: Vec<_> = missing.iter().map(start).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().expect("panics of a share are caught"))
                    .collect()
            });
            let mut failed = None;
            let mut other = None;
            for (&share, found) in missing.iter().zip(found) {
                match found {
                    Ok(result) => results[share] = Some(result),
                    Err(Failure::Device(position, reason)) => {
                        let error = self.devices.lose(position, reason);
                        failed = failed.or(Some(error));
                    }
                    Err(Failure::Other(error)) => other = other.or(Some(error)),
                }
            }
            if let Some(error) = other {
                return Err(error);
            }
            if let (Some(error), OnFailure::Stop) = (failed, on_failure) {
                return Err(error);
            }
        }
    }

    /// Calls `with` with what has been made of each share.
    pub(crate) fn for_each_made(&self, mut with: impl FnMut(&T)) {
        for made in &self.made {
            let made = made.lock().expect("panics of a share are caught");
            if let Some(made) = &*made {
                with(&made.share);
            }
        }
    }

    /// Forgets what has been made, and returns the settings by which it is made.
    pub(crate) fn settings_mut(&mut self) -> &mut S {
        self.made.fill_with(Mutex::default);
        &mut self.settings
    }

    /// Does the job of a share on its device.
    fn run<R>(
        &self,
        share: usize,
        job: &(impl Fn(&T) -> Result<R, Error> + Sync),
    ) -> Result<R, Failure> {
        let (position, device) = self.devices.of_share(share).map_err(Failure::Other)?;
        let mut made = self.made[share]
            .lock()
            .expect("panics of a share are caught");
        let result = attempt(|| {
            if made.as_ref().is_none_or(|made| made.position != position) {
                *made = None;
                let share = self.make_on(&device, &self.shares[share])?;
                *made = Some(Made { position, share });
            }
            let made = made.as_ref().expect("it has just been made");
            job(&made.share)
        });
        let silence = match &result {
            Ok(Ok(_)) => None,
            _ => silence(&device),
        };
        match (result, silence) {
            (Ok(Ok(result)), _) => Ok(result),
            (Ok(Err(error)), None) => Err(Failure::Other(error)),
            // What the device itself says comes first: an error may be one that followed from it.
            (Ok(Err(_)), Some(reason)) => {
                forget(&mut made);
                Err(Failure::Device(position, reason))
            }
            (Err(panic), silence) => {
                forget(&mut made);
                Err(Failure::Device(position, silence.unwrap_or(panic)))
            }
        }
    }

    /// Prepares a share on a device.
    fn make_on(&self, device: &Device, risks: &[Risk<M, B>]) -> Result<T, Error> {
        let model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        // A copy of its own: moving one to a device moves BatchNorm's statistics of its clones.
        let copy = model.valid();
        drop(model);
        let model = copy.to_device(device);
        let risks: Vec<_> = risks.iter().map(|risk| risk.placed_on(device)).collect();
        (self.make)(&model, &risks, &self.settings)
    }
}

/// Drops what was made on a device that has failed, which may panic.
fn forget<T>(made: &mut Option<Made<T>>) {
    let made = made.take();
    let _ = attempt(move || drop(made));
}

/// Returns `Σ w x / Σ w`, in the order of the shares.
pub(crate) fn mean(shares: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) = shares
        .into_iter()
        .fold((0.0, 0.0), |(sum, all), (weight, x)| {
            (sum + weight * x, all + weight)
        });
    sum / weight
}

/// Returns `Σ w v / Σ w` of the vectors of each share, in the order of the shares.
pub(crate) fn mean_vectors(shares: Vec<(f64, Vec<Tensor<1>>)>) -> Vec<Tensor<1>> {
    let all: f64 = shares.iter().map(|(weight, _)| weight).sum();
    let mut sums: Vec<Tensor<1>> = Vec::new();
    for (weight, vectors) in shares {
        let terms = vectors.into_iter().map(|vector| vector * (weight / all));
        if sums.is_empty() {
            sums = terms.collect();
        } else {
            sums = sums
                .into_iter()
                .zip(terms)
                .map(|(sum, term)| sum + term)
                .collect();
        }
    }
    sums
}

/// Returns vectors of a share's device in the space of the sum.
pub(crate) fn brought_home(
    domain: &Domain,
    vectors: &[Tensor<1>],
) -> Result<Vec<Tensor<1>>, Error> {
    vectors.iter().map(|vector| domain.adopt(vector)).collect()
}
