//! Delta debugging: finds a minimal part of a list that is still sufficient.

/// Removes as many of `items` as possible while `is_enough` stays true of the rest; at the end no
/// single item can be removed. Every list tried has fewer items than the smallest list known to be
/// enough.
///
/// Zeller and Hildebrandt 2002, with complements only: ever smaller blocks are removed, from the
/// back, because late events of a run tend to matter least.
///
/// `is_enough` returns `None` to stop the search because the time is up.
pub fn minimise<T: Clone>(items: &mut Vec<T>, mut is_enough: impl FnMut(&[T]) -> Option<bool>) {
    let mut block = items.len();
    while block > 0 {
        let mut removed = false;
        let mut end = items.len();
        while end > 0 {
            let start = end.saturating_sub(block);
            let rest = [&items[..start], &items[end..]].concat();
            let Some(enough) = is_enough(&rest) else { return };
            if enough {
                *items = rest;
                removed = true;
            }
            end = start;
        }
        // One by one until nothing more can be removed.
        if !(block == 1 && removed) {
            block /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::minimise;
    use proptest::prelude::*;

    #[test]
    fn what_matters_is_left() {
        let mut tried = 0;
        let mut items: Vec<u32> = (0..1_000).collect();
        minimise(&mut items, |rest| {
            tried += 1;
            Some([17, 500, 993].iter().all(|item| rest.contains(item)))
        });
        assert_eq!(items, [17, 500, 993]);
        assert!(tried < 150, "{tried} attempts");
    }

    proptest! {
        /// Even with a non-monotonic condition, no single item can be removed at the end.
        #[test]
        fn nothing_can_be_left_out(
            items in prop::collection::vec(0u32..40, 0..40),
            modulus in 2u32..6,
        ) {
            let is_enough = |rest: &[u32]| {
                rest.iter().sum::<u32>() % modulus == 0 && rest.iter().any(|i| *i > 20)
            };
            prop_assume!(is_enough(&items));
            let mut rest = items;
            minimise(&mut rest, |rest| Some(is_enough(rest)));
            prop_assert!(is_enough(&rest));
            for left_out in 0..rest.len() {
                let mut fewer = rest.clone();
                fewer.remove(left_out);
                prop_assert!(!is_enough(&fewer));
            }
        }
    }
}
