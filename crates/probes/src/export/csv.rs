//! Comma-separated values.

use super::table::{self, Table};
use super::{Column, Samples};
use crate::{Error, json_number};

/// Returns a table as RFC 4180 has it: a header, and a row with coordinates and quantities for each
/// point that was measured. Numbers have as many digits as give them back exactly; those that are
/// not finite are `NaN`, `inf` and `-inf`.
///
/// # Errors
/// [`Error::Slice`] for columns whose lengths or names do not fit.
///
/// # Examples
/// ```
/// use probes::export::{Column, Samples, csv};
///
/// let a = [Column::new("a", vec![-1.0, 0.1])];
/// let line = Samples::on_grid(a, [("loss", vec![0.5, f64::NAN])]);
/// assert_eq!(csv(&line)?, "a,loss\r\n-1.0,0.5\r\n0.1,NaN\r\n");
/// let line = line.with_recorded(vec![true, false]);
/// assert_eq!(csv(&line)?, "a,loss\r\n-1.0,0.5\r\n");
/// # Ok::<(), probes::Error>(())
/// ```
pub fn csv(samples: &Samples) -> Result<String, Error> {
    samples.check()?;
    let measured: Vec<usize> = (0..samples.len())
        .filter(|&index| samples.recorded[index])
        .collect();
    let column = |name: &String, value: &dyn Fn(usize) -> f64| {
        let cells = measured.iter().map(|&index| json_number(value(index)));
        (name.clone(), cells.collect())
    };
    let mut table: Table = Vec::new();
    for (axis, Column { name, .. }) in samples.columns().iter().enumerate() {
        table.push(column(name, &|index| samples.point(index)[axis]));
    }
    for Column { name, values } in &samples.quantities {
        table.push(column(name, &|index| values[index]));
    }
    Ok(table::csv(&table))
}
