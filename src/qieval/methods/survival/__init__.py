"""Time until something happens, with what has not happened yet counted as such."""

from qieval.methods.survival.compare import FEWEST_ENDS, LogRank, Ratios, hazard_ratios, log_rank, time_ratios
from qieval.methods.survival.competing import GrayTest, cumulative_incidence, gray_test, time_of_half
from qieval.methods.survival.kaplan_meier import KaplanMeier, kaplan_meier
from qieval.methods.survival.restricted_mean import RestrictedMean, restricted_mean, restricted_mean_difference

__all__ = [
    "FEWEST_ENDS",
    "GrayTest",
    "KaplanMeier",
    "LogRank",
    "Ratios",
    "RestrictedMean",
    "cumulative_incidence",
    "gray_test",
    "hazard_ratios",
    "kaplan_meier",
    "log_rank",
    "restricted_mean",
    "restricted_mean_difference",
    "time_of_half",
    "time_ratios",
]
