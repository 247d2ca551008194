//! Measuring in rounds, so that what else the machine does hits all alike.

/// The order of a round. Every other round runs backwards, and each pair of rounds begins elsewhere:
/// each place is as often first and last, and none always follows the same neighbour.
pub fn order(round: usize, places: usize) -> impl Iterator<Item = usize> {
    (0..places).map(move |turn| {
        let turn = if round.is_multiple_of(2) { turn } else { places - 1 - turn };
        (turn + round / 2) % places
    })
}

/// The first quartile, the median, and the third, between values where there is none in the place.
pub fn quartiles(values: impl IntoIterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|part| {
        let place = part * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    })
}
