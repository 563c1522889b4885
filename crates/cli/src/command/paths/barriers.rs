//! The barriers of paths between all models.

use super::connected::Connected;

/// Returns the names of the paths that were measured, each once, in their order.
pub(super) fn names<'f>(found: &'f [Connected<'_>]) -> Vec<&'f str> {
    let mut names: Vec<&str> = Vec::new();
    for path in found.iter().flat_map(|connected| &connected.paths) {
        if !names.contains(&&*path.name) {
            names.push(&path.name);
        }
    }
    names
}

/// Returns the barriers of a path between all models, zero between one and itself; none where it
/// was not measured.
pub(super) fn matrix(found: &[Connected<'_>], name: &str, count: usize) -> Vec<Vec<Option<f64>>> {
    let mut matrix = vec![vec![None; count]; count];
    for (place, row) in matrix.iter_mut().enumerate() {
        row[place] = Some(0.0);
    }
    for connected in found {
        let path = connected.paths.iter().find(|path| path.name == name);
        if let Some(path) = path {
            let [first, second] = connected.places;
            matrix[first][second] = Some(path.profile().barrier);
            matrix[second][first] = Some(path.profile().barrier);
        }
    }
    matrix
}
