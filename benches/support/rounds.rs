//! Measures in rounds, so that other load on the machine affects all operations equally.

/// The order of a round. Every other round runs backwards, and each pair of rounds begins at
/// another place. So each operation is first and last equally often, and none always follows the
/// same neighbour.
pub fn order(round: usize, places: usize) -> impl Iterator<Item = usize> {
    (0..places).map(move |turn| {
        let turn = if round.is_multiple_of(2) { turn } else { places - 1 - turn };
        (turn + round / 2) % places
    })
}

/// The first quartile, the median and the third quartile, interpolated between values if necessary.
pub fn quartiles(values: impl IntoIterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|part| {
        let place = part * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    })
}
