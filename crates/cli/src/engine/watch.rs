//! Work under watch: its progress is told, and somebody may stop it.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Instant;

use landscape::LinearOperator;
use landscape::operator::Observed;

use crate::interrupt::Interrupt;
use crate::report::progress::Progress;

/// A piece of work with its name.
pub(crate) type Work<'a, F> = (&'static str, Box<dyn FnOnce() -> anyhow::Result<F> + 'a>);

/// The outcome of several pieces of work.
pub(crate) struct Done<F> {
    /// The findings.
    pub(crate) findings: Vec<F>,
    /// The failures, each in a sentence.
    pub(crate) failures: Vec<String>,
    /// Whether somebody stopped it.
    pub(crate) interrupted: bool,
}

/// The watch over some work.
pub(crate) struct Watch {
    progress: Progress,
    interrupt: Interrupt,
    /// Products of the operator that is watched.
    products: Cell<usize>,
}

impl Watch {
    /// Makes one that tells `progress` and stops when `interrupt` asks.
    pub(crate) const fn new(progress: Progress, interrupt: Interrupt) -> Self {
        Self {
            progress,
            interrupt,
            products: Cell::new(0),
        }
    }

    /// Carries the work out. A piece that fails does not take the others with it; an interrupt ends
    /// them.
    pub(crate) fn carry_out<F>(&self, works: Vec<Work<'_, F>>) -> Done<F> {
        let mut done = Done {
            findings: Vec::new(),
            failures: Vec::new(),
            interrupted: false,
        };
        let count = works.len();
        for (index, (name, work)) in works.into_iter().enumerate() {
            if self.interrupt.requested() {
                done.interrupted = true;
                break;
            }
            self.progress.probe(name, index + 1, count);
            match work() {
                Ok(finding) => done.findings.push(finding),
                Err(_) if self.interrupt.requested() => {
                    done.interrupted = true;
                    break;
                }
                Err(error) => done.failures.push(format!("{name}: {error:#}")),
            }
        }
        done
    }

    /// Returns the products of the operator that was watched last.
    pub(crate) fn products(&self) -> usize {
        self.products.get()
    }

    /// Returns an operator that tells the progress of each product, and stops when somebody asks.
    pub(crate) fn watched<'o, A: LinearOperator + ?Sized>(
        &'o self,
        operator: &'o A,
        of: Option<usize>,
    ) -> Observed<&'o A, impl FnMut(usize) -> ControlFlow<()> + 'o> {
        self.products.set(0);
        Observed::new(operator, move |done| {
            self.products.set(done);
            self.goes_on(done, of, "products")
        })
    }

    /// Tells that a part of the work begins or goes on, and whether to go on.
    pub(crate) fn begins(&self, part: &str, done: usize) -> ControlFlow<()> {
        if done == 0 {
            self.progress.probe(part, 1, 1);
        }
        self.goes_on(done, None, "products or points")
    }

    /// Returns whether somebody asks to stop.
    pub(crate) fn stops(&self) -> bool {
        self.interrupt.requested()
    }

    /// Tells the progress, and whether to go on.
    pub(crate) fn goes_on(
        &self,
        done: usize,
        of: Option<usize>,
        what: &'static str,
    ) -> ControlFlow<()> {
        self.progress.work(done, of, what);
        if self.interrupt.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Returns the value of `work`, and the seconds that it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let value = work();
    (value, began.elapsed().as_secs_f64())
}
