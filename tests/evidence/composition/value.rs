//! A tensor whose rank is known when the program runs.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// A float tensor of one of the ranks that layers have.
#[derive(Debug, Clone)]
pub(super) enum Value {
    One(Tensor<1>),
    Two(Tensor<2>),
    Three(Tensor<3>),
    Four(Tensor<4>),
}

/// Binds `x` to the tensor in a value and makes a value of the result, which has its rank.
macro_rules! mapped {
    ($value:expr, $x:ident => $result:expr) => {
        match $value {
            Value::One($x) => Value::One($result),
            Value::Two($x) => Value::Two($result),
            Value::Three($x) => Value::Three($result),
            Value::Four($x) => Value::Four($result),
        }
    };
}

/// Binds `x` to the tensor in a value, whatever comes of it.
macro_rules! with {
    ($value:expr, $x:ident => $result:expr) => {
        match $value {
            Value::One($x) => $result,
            Value::Two($x) => $result,
            Value::Three($x) => $result,
            Value::Four($x) => $result,
        }
    };
}

/// [`mapped`] of two values of one rank.
macro_rules! joined {
    ($left:expr, $right:expr, $x:ident, $y:ident => $result:expr) => {
        match ($left, $right) {
            (Value::One($x), Value::One($y)) => Value::One($result),
            (Value::Two($x), Value::Two($y)) => Value::Two($result),
            (Value::Three($x), Value::Three($y)) => Value::Three($result),
            (Value::Four($x), Value::Four($y)) => Value::Four($result),
            _ => panic!("two values of different ranks"),
        }
    };
}

pub(super) use {joined, mapped, with};

impl Value {
    pub(super) fn dims(&self) -> Vec<usize> {
        with!(self, x => x.dims().to_vec())
    }

    pub(super) fn rank(&self) -> usize {
        self.dims().len()
    }

    pub(super) fn len(&self) -> usize {
        self.dims().iter().product()
    }

    pub(super) fn device(&self) -> Device {
        with!(self, x => x.device())
    }

    /// The entries; none where they cannot be read.
    pub(super) fn entries(&self) -> Vec<f64> {
        let data = with!(self, x => x.to_data());
        data.iter::<f64>().collect()
    }

    pub(super) fn reshape(self, dims: &[usize]) -> Self {
        fn to<const D: usize>(value: Value, dims: &[usize]) -> Tensor<D> {
            let dims: [usize; D] = dims.try_into().expect("as many axes as the rank says");
            with!(value, x => x.reshape(dims))
        }
        match dims.len() {
            1 => Self::One(to(self, dims)),
            2 => Self::Two(to(self, dims)),
            3 => Self::Three(to(self, dims)),
            4 => Self::Four(to(self, dims)),
            rank => panic!("a value of rank {rank}"),
        }
    }

    pub(super) fn flat(self) -> Tensor<1> {
        let len = self.len();
        with!(self, x => x.reshape([len]))
    }

    /// Entries from the host, in f64.
    pub(super) fn of(entries: Vec<f64>, dims: &[usize], device: &Device) -> Self {
        let len = entries.len();
        Self::One(Tensor::from_data(
            TensorData::new(entries, [len]),
            (device, DType::F64),
        ))
        .reshape(dims)
    }
}
