//! The Hessians of one step: one for each risk, whoever asks.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::operator::Domain;
use landscape::spectrum::EigenPair;
use landscape::{Batch, Hessian, LinearOperator, Method, Risk};

use super::known_risks::{KnownRisks, Sample};
use super::times::Unit;
use crate::Error;

/// The Hessians that were made at one step.
#[derive(Default)]
pub(crate) struct Hessians {
    made: RefCell<Vec<Box<dyn Made>>>,
    products: Rc<Cell<usize>>,
}

/// The way in which the products of a step's Hessian were made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Products {
    /// Exact differentiation, or differences and why.
    pub method: Method,
    /// Products that may be wrong, because a kink of the loss lies too close.
    pub unresolved: usize,
    /// Examples that the Hessian is measured over.
    pub examples: usize,
    /// Examples of the risk that the probe was given: more, where the budget allowed a smaller
    /// sample only.
    pub examples_given: usize,
}

struct Entry<M, B> {
    risk: Risk<M, B>,
    hessian: Rc<Hessian<M, B>>,
    sample: Sample,
    /// The eigenpair of the largest eigenvalue, once a probe has measured it at this step.
    top: RefCell<Option<EigenPair>>,
}

/// An entry of whatever model and batch.
trait Made {
    fn as_any(&self) -> &dyn Any;
    fn products(&self) -> Products;
}

impl<M: Module + 'static, B: Batch + 'static> Made for Entry<M, B> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn products(&self) -> Products {
        Products {
            method: self.hessian.method(),
            unresolved: self.hessian.unresolved(),
            examples: self.sample.examples,
            examples_given: self.sample.given,
        }
    }
}

impl Hessians {
    /// Returns the Hessian of `risk` at `model`, over the sample that is measured: made, unless it
    /// is there.
    pub(crate) fn of<M: Module + 'static, B: Batch + Send + Sync + 'static>(
        &self,
        known: &KnownRisks,
        risk: &Risk<M, B>,
        model: &M,
    ) -> Result<Rc<Hessian<M, B>>, Error> {
        if let Some(hessian) = self.find(risk) {
            return Ok(hessian);
        }
        let sample = known.sample(risk)?;
        let started = Instant::now();
        let hessian = Rc::new(Hessian::at(model, &known.measured(risk))?);
        known.learn(risk, Unit::Hessian, started.elapsed().as_secs_f64());
        self.made.borrow_mut().push(Box::new(Entry {
            risk: risk.clone(),
            hessian: Rc::clone(&hessian),
            sample,
            top: RefCell::new(None),
        }));
        Ok(hessian)
    }

    /// Returns the Hessian of `risk`, if it was made.
    pub(crate) fn find<M: Module + 'static, B: Batch + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Option<Rc<Hessian<M, B>>> {
        self.with(risk, |entry| Rc::clone(&entry.hessian))
    }

    fn with<M: Module + 'static, B: Batch + 'static, R>(
        &self,
        risk: &Risk<M, B>,
        with: impl Fn(&Entry<M, B>) -> R,
    ) -> Option<R> {
        self.made.borrow().iter().find_map(|made| {
            let entry = made.as_any().downcast_ref::<Entry<M, B>>()?;
            entry.risk.is_same(risk).then(|| with(entry))
        })
    }

    /// Returns the eigenpair of the largest eigenvalue, if a probe has measured it at this step.
    pub(crate) fn top<M: Module + 'static, B: Batch + 'static>(
        &self,
        risk: &Risk<M, B>,
    ) -> Option<EigenPair> {
        self.with(risk, |entry| entry.top.borrow().clone())?
    }

    /// Keeps that eigenpair for the other probes of this step.
    pub(crate) fn keep_top<M: Module + 'static, B: Batch + 'static>(
        &self,
        risk: &Risk<M, B>,
        pair: &EigenPair,
    ) {
        self.with(risk, |entry| *entry.top.borrow_mut() = Some(pair.clone()));
    }

    /// Returns how the products were made, for each Hessian.
    pub(crate) fn methods(&self) -> Vec<Products> {
        self.made
            .borrow()
            .iter()
            .map(|made| made.products())
            .collect()
    }

    /// Products made so far.
    pub(crate) fn products(&self) -> usize {
        self.products.get()
    }

    pub(crate) fn counter(&self) -> Rc<Cell<usize>> {
        Rc::clone(&self.products)
    }
}

/// The Hessian of a risk at a moment of a run, as [`Moment::hessian`](crate::Moment::hessian) gives
/// it: an operator that counts and times its products and stops when the run is told to stop.
pub struct Curvature<'a, M, B> {
    pub(crate) hessian: Rc<Hessian<M, B>>,
    pub(crate) risk: Risk<M, B>,
    pub(crate) known: Option<&'a KnownRisks>,
    pub(crate) products: Rc<Cell<usize>>,
    pub(crate) done: Cell<usize>,
    pub(crate) going_on: Box<dyn Fn() -> ControlFlow<()> + 'a>,
}

impl<M: Module, B: Batch> Curvature<'_, M, B> {
    /// Products made with this operator.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done.get()
    }

    /// Returns the Hessian itself.
    #[must_use]
    pub fn hessian(&self) -> &Hessian<M, B> {
        &self.hessian
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Curvature<'_, M, B> {
    fn took(&self, products: usize, started: Instant) -> Result<(), landscape::Error> {
        if let Some(known) = self.known {
            #[expect(clippy::cast_precision_loss, reason = "a number of products")]
            let each = started.elapsed().as_secs_f64() / products.max(1) as f64;
            known.learn(&self.risk, Unit::Product, each);
        }
        self.made(products)
    }

    /// Counts products or quadratic forms, and sees whether the run goes on.
    fn made(&self, products: usize) -> Result<(), landscape::Error> {
        self.products.set(self.products.get() + products);
        self.done.set(self.done.get() + products);
        match (self.going_on)() {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(landscape::Error::Cancelled {
                done: self.done.get(),
            }),
        }
    }
}

impl<M, B> std::fmt::Debug for Curvature<'_, M, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Curvature")
            .field("products", &self.done.get())
            .finish_non_exhaustive()
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> LinearOperator for Curvature<'_, M, B> {
    fn domain(&self) -> &Domain {
        self.hessian.domain()
    }

    fn relative_error(&self) -> f64 {
        self.hessian.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, landscape::Error> {
        let started = Instant::now();
        let product = self.hessian.apply(v)?;
        self.took(1, started)?;
        Ok(product)
    }

    fn apply_many(&self, vectors: &[Tensor<1>]) -> Result<Vec<Tensor<1>>, landscape::Error> {
        let started = Instant::now();
        let products = self.hessian.apply_many(vectors)?;
        self.took(vectors.len(), started)?;
        Ok(products)
    }

    /// Returns the quadratic form. Counted as a product, but not timed as one: it takes about half.
    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, landscape::Error> {
        let form = self.hessian.quadratic_form(v)?;
        self.made(1)?;
        Ok(form)
    }

    fn quadratic_forms(&self, vectors: &[Tensor<1>]) -> Result<Vec<f64>, landscape::Error> {
        let forms = self.hessian.quadratic_forms(vectors)?;
        self.made(vectors.len())?;
        Ok(forms)
    }
}
