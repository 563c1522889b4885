//! The bundled workloads by their settings.

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::Device;

use super::images::Images;
use super::network::{Site, check_widths};
use super::start::check_start;
use crate::config::Plan;
use crate::config::subject::{DatasetPlan, NetworkPlan};
use crate::config::variation::Alteration;
use crate::engine::source::{Refusal, Source};
use crate::engine::subject::Subject;
use crate::failure::usage;

/// The bundled networks and data sets. Each data set is loaded once.
#[derive(Default)]
pub(crate) struct Bundled {
    loaded: Mutex<Vec<(DatasetPlan, Alteration, Arc<Images>)>>,
}

impl Bundled {
    fn images(&self, plan: &DatasetPlan, alteration: &Alteration) -> anyhow::Result<Arc<Images>> {
        // A load that panicked has added nothing.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(other, altered, _): &&(DatasetPlan, Alteration, _)| {
            other == plan && altered == alteration
        };
        if let Some((.., images)) = loaded.iter().find(known) {
            return Ok(Arc::clone(images));
        }
        let images = Arc::new(Images::load(plan, alteration)?);
        loaded.push((plan.clone(), alteration.clone(), Arc::clone(&images)));
        Ok(images)
    }
}

impl Source for Bundled {
    fn own(&self) -> Option<&str> {
        None
    }

    fn check(&self, plan: &Plan, _device: &Device) -> Result<(), Refusal> {
        let network = network(plan)?;
        check_widths(network)?;
        check_start(network)
    }

    fn subject(
        &self,
        plan: &Plan,
        sample: usize,
        _device: &Device,
    ) -> Result<Arc<dyn Subject>, Refusal> {
        let plan = network(plan)?;
        let images = self.images(&plan.data, &plan.variation.alteration)?;
        let site = Site {
            plan,
            images,
            sample,
        };
        site.network()
    }
}

/// Returns the network of a plan, which is none where another program has written it.
fn network(plan: &Plan) -> anyhow::Result<&NetworkPlan> {
    plan.subject.network().ok_or_else(|| {
        usage(format!(
            "the run is one of the workload `{}`, which this program does not have; the program that trained it does",
            plan.subject.data_name()
        ))
    })
}
