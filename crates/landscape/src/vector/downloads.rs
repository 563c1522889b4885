//! The way of vectors to the host, and what has gone it.

use std::cell::Cell;

use burn::tensor::Tensor;

thread_local! {
    static READ: Cell<Downloads> = const { Cell::new(Downloads { reads: 0, numbers: 0 }) };
}

/// A count of what [`download`] has read.
///
/// On a GPU each read waits for all work that was asked for before it, and the device is idle until
/// the next is. The difference of two counts shows what a computation costs of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Downloads {
    /// Number of reads, each of one vector.
    pub reads: u64,
    /// Number of entries of all these vectors.
    pub numbers: u64,
}

impl Downloads {
    /// Returns what has been read on the current thread, on which whatever is asked of one device
    /// reads.
    #[must_use]
    pub fn of_this_thread() -> Self {
        READ.get()
    }
}

/// Returns the entries of a vector as f64 on the host; the inverse is
/// [`Domain::upload`](super::Domain::upload).
#[must_use]
pub fn download(vector: &Tensor<1>) -> Vec<f64> {
    let data = vector.to_data();
    // Burn's own iterator asks for the type at each number.
    let values = match (data.as_slice::<f64>(), data.as_slice::<f32>()) {
        (Ok(values), _) => values.to_vec(),
        (_, Ok(values)) => values.iter().map(|x| f64::from(*x)).collect(),
        _ => data.iter::<f64>().collect(),
    };
    let Downloads { reads, numbers } = READ.get();
    READ.set(Downloads {
        reads: reads + 1,
        numbers: numbers + values.len() as u64,
    });
    values
}
