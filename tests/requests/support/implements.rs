//! Questions to types: which traits they implement.

/// Whether a type implements a trait: the inherent constant is found only where its bound holds.
macro_rules! implements {
    ($ty:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const IMPLEMENTS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const IMPLEMENTS: bool = true;
        }
        Probe::<$ty>::IMPLEMENTS
    }};
}

/// Bounds, and for each the types that do and don't meet it.
macro_rules! table {
    ($($bound:path | $($ty:ty => $expected:literal),+ $(,)?);+ $(;)?) => {
        vec![$($((
            stringify!($bound),
            stringify!($ty),
            crate::support::implements::implements!($ty: $bound),
            $expected,
        )),+),+]
    };
}

/// Fails if a type implements what it should not, or the other way round.
pub fn check(table: Vec<(&str, &str, bool, bool)>) {
    for (bound, ty, implements, expected) in table {
        assert_eq!(implements, expected, "{ty}: {bound}");
    }
}

pub(crate) use {implements, table};
