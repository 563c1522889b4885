//! The table of operations: a row for each, the limits it has to keep, and how it is shown.

use burn::tensor::DType;

use super::device::float_type;
use super::fault::Fault;

/// Errors reached by one operation; relative, by the largest entry.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// What is known of Burn's operation on this device.
    pub(crate) fault: Option<Fault>,
    /// What Burn turned out not to have: its gradient, or the operation at all. Ours is beside
    /// flex then.
    pub(crate) panics: Option<Fault>,
    /// Value beside Burn's.
    pub(crate) value: f64,
    /// Gradient beside Burn's.
    pub(crate) gradient: f64,
    /// Gradient beside central differences of values, or beside f64.
    pub(crate) differences: f64,
    /// `<g, v>` beside the forward derivative.
    pub(crate) forward: f64,
    /// `<u, Jv>` beside `<J'u, v>`, with the Jacobian J of the operation itself.
    pub(crate) transpose: f64,
    /// Hessian-vector product beside central differences of gradients, or beside f64.
    pub(crate) product: f64,
    /// `<u, Hv>` beside `<Hu, v>`, and `<v, Hv>` beside both quadratic forms.
    pub(crate) symmetry: f64,
    /// Values and gradients at several points by one program, and products with several vectors by
    /// another, beside one by one; `None` where the device's tensors have too few axes.
    pub(crate) stacked: Option<f64>,
}

impl Row {
    const COLUMNS: [&str; 8] = [
        "value",
        "gradient",
        "differences",
        "forward",
        "transpose",
        "product",
        "symmetry",
        "stacked",
    ];

    fn errors(&self) -> [f64; 8] {
        [
            self.value,
            self.gradient,
            self.differences,
            self.forward,
            self.transpose,
            self.product,
            self.symmetry,
            self.stacked.unwrap_or(f64::NAN),
        ]
    }

    /// What an error of the device's own functions allows.
    const fn least(&self) -> f64 {
        match self.fault {
            Some(Fault::Rounded(error)) => error,
            _ => 0.0,
        }
    }

    fn burn(&self) -> f64 {
        // Burn rounds some scalars to f32; those operations are named by the caller.
        let named = self.name.ends_with("(f32 in Burn)");
        let limit = limits().burn.max(if named { 1e-6 } else { 0.0 });
        limit.max(self.least())
    }

    /// Whether all holds that does not depend on Burn's gradient.
    pub(crate) fn is_consistent(&self) -> bool {
        let (limits, least) = (limits(), self.least());
        let missing = |fault: Option<Fault>| {
            fault.filter(|fault| matches!(fault, Fault::Panics | Fault::Missing))
        };
        let value = match self.fault {
            Some(Fault::Value(error)) => self.value > error,
            _ => self.value < self.burn(),
        };
        let stacked = match self.stacked {
            // The same sums in another order.
            Some(error) => self.fault != Some(Fault::Axes) && error < limits.itself.max(least),
            None => self.fault == Some(Fault::Axes),
        };
        missing(self.fault) == self.panics
            && value
            && stacked
            && self.differences < limits.differences.max(least)
            && self.product < limits.product.max(least)
            && self.forward < limits.itself.max(least)
            && self.transpose < limits.itself.max(least)
            && self.symmetry < limits.itself.max(least)
    }

    /// Whether all is as it has to be, faults of the device included.
    fn is_good(&self) -> bool {
        // Where Burn's own is not the slope of its value, ours has to be.
        let gradient = match self.fault {
            Some(Fault::Gradient(error)) => self.gradient > error,
            _ => self.gradient < self.burn(),
        };
        gradient && self.is_consistent()
    }
}

/// Relative errors that rounding explains.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Beside Burn's own result on the same device.
    pub(crate) burn: f64,
    /// A value smaller than this is small by cancellation.
    pub(crate) least: f64,
    /// Gradient beside another way.
    pub(crate) differences: f64,
    /// Product beside another way.
    pub(crate) product: f64,
    /// One derivative beside another of ours.
    pub(crate) itself: f64,
}

pub(crate) fn limits() -> Limits {
    if float_type() == DType::F64 {
        Limits {
            burn: 1e-13,
            least: 1e-3,
            // Central differences with h = 1e-5: h^2 = 1e-10, rounding 1e-16 / h.
            differences: 1e-8,
            product: 1e-7,
            itself: 1e-12,
        }
    } else {
        Limits {
            burn: 5e-6,
            // The terms of the sum are of this size.
            least: 1.0,
            // Some tens of roundings of 6e-8, and Vulkan's functions are allowed a few units more.
            differences: 1e-5,
            product: 1e-5,
            itself: 1e-5,
        }
    }
}

/// Prints the table and fails with the rows that are off.
pub(crate) fn report(rows: &[Row]) {
    let mut bad = Vec::new();
    println!("| operation | {} |", Row::COLUMNS.join(" | "));
    println!("|---|{}", "---|".repeat(Row::COLUMNS.len()));
    for row in rows {
        let errors = row.errors().map(|error| format!("{error:.1e}"));
        println!("| {} | {} |", row.name, errors.join(" | "));
        if !row.is_good() {
            bad.push(row);
        }
    }
    assert!(bad.is_empty(), "off: {bad:#?}");
}
