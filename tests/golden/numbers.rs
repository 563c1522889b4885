//! Random numbers of the hunts for false claims.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// A generator with one purpose: the same graphs on every machine (Steele, Lea, Flood 2014).
pub(crate) struct Numbers {
    state: u64,
    /// Makes an entry of a tensor from a number in [0, 1).
    entry: fn(f64) -> f64,
}

impl Numbers {
    pub(crate) const fn new(seed: u64, entry: fn(f64) -> f64) -> Self {
        Self { state: seed, entry }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("a number below a small bound")
    }

    pub(crate) fn tensor<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let count: usize = shape.iter().product();
        let mut real = || (self.entry)((self.next() >> 11) as f64 / (1_u64 << 53) as f64);
        let values: Vec<f64> = (0..count).map(|_| real()).collect();
        Tensor::from_data(
            TensorData::new(values, shape),
            (&Device::flex(), DType::F64),
        )
    }
}
