"""Small series, and charts compared as a reader would compare them."""

import numpy as np
import pandas as pd


def months(n, start="2024-01-01"):
    return pd.date_range(start, periods=n, freq="MS")


def monthly(values, start="2024-01-01", **columns):
    """One value a month, in the column `value`."""
    return pd.DataFrame({"period": months(len(values), start), "value": values, **columns})


def ratios(numerators, denominators, start="2024-01-01", **columns):
    """A numerator and a denominator a month."""
    return pd.DataFrame(
        {
            "period": months(len(numerators), start),
            "numerator": numerators,
            "denominator": denominators,
            **columns,
        }
    )


OF_VALUES = {"period": "period", "value": "value"}
OF_RATIOS = {"period": "period", "numerator": "numerator", "denominator": "denominator"}


def assert_same_charts(found, expected, *, ignore=()):
    """Equal to the last digits, whatever stands in the index and however text is stored."""
    for frame in ("points", "series"):
        left, right = getattr(found, frame), getattr(expected, frame)
        assert left.columns.tolist() == right.columns.tolist()
        for name in left.columns.difference(ignore, sort=False):
            if left[name].dtype == float:
                np.testing.assert_allclose(left[name], right[name], rtol=1e-12, atol=1e-12, err_msg=name)
            else:
                assert left[name].tolist() == right[name].tolist(), name


def drawn(result, *names):
    """Columns of the points as lists."""
    columns = [result.points[name].tolist() for name in names]
    return columns[0] if len(names) == 1 else columns


def only(frame):
    """The one row of a frame."""
    assert len(frame) == 1
    return frame.iloc[0]


def ragged(kind, n_series=14, seed=5):
    """Series of many lengths and starts with gaps, and columns for any kind of chart."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(n_series):
        n = int(rng.choice([20, 24, 24, 31]))
        start = pd.Timestamp("2022-01-01") + pd.DateOffset(months=int(rng.integers(0, 4)))
        frame = ratios(rng.binomial(40, 0.3, n), rng.integers(45, 60, n), start, facility=f"F{number}")
        frame["value"] = rng.integers(1, 30, n) if kind in ("c", "g", "t") else rng.normal(10, 2, n)
        if kind in ("xbar", "s"):
            frame = pd.concat([frame.assign(value=rng.normal(10, 2, n)) for _ in range(4)])
        if number % 3 == 0 and kind not in ("xbar", "s", "g", "t"):  # where a period without a row is a gap
            frame = frame.drop(index=[7, 8])
        if number % 4 == 0:
            frame.loc[[3, 12], ["value", "numerator"]] = np.nan
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
