# Reference values for competing risks: Gray's test and cumulative incidence of projects completed or abandoned.
# R 4.2.2, survival 3.5.3, cmprsk 2.2.11. Run in this folder: Rscript gray.R
# Writes gray_projects.csv (the cases, made here) and gray_expected.csv (case, cause, quantity, time, value).
suppressMessages({library(survival); library(cmprsk)})
set.seed(20261123)

one <- function(case, n, groups, months, censored) {
  group <- sample(seq_len(groups), n, replace = TRUE)
  duration <- ceiling(rexp(n, 1 / (months * (1 + 0.6 * (group - 1)))))  # whole months: many ties
  outcome <- ifelse(runif(n) < censored, 0, ifelse(runif(n) < 0.3 + 0.15 * group, 2, 1))
  data.frame(case = case, group = group, duration = duration, outcome = outcome)
}
cases <- rbind(
  one("ten", 10, 2, 5, 0.2), one("forty", 40, 2, 6, 0.25), one("three_groups", 90, 3, 8, 0.2),
  one("few_censored", 60, 2, 4, 0.02), one("mostly_open", 80, 3, 10, 0.7),
  transform(one("days", 50, 2, 200, 0.2), duration = duration + 0.25 * (group - 1)))
# A project that ended on the day it began, and a last time at which everybody is still open.
cases$duration[cases$case == "forty"][1:3] <- 0
open <- cases$case == "mostly_open" & cases$duration == max(cases$duration[cases$case == "mostly_open"])
cases$outcome[open] <- 0
write.csv(cases, "gray_projects.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(...) rows[[length(rows) + 1]] <<- data.frame(...)
for (case in unique(cases$case)) {
  d <- cases[cases$case == case, ]
  tests <- cuminc(d$duration, d$outcome, d$group)$Tests
  for (cause in rownames(tests)) {
    add(case = case, cause = cause, quantity = "gray_statistic", time = NA, value = tests[cause, "stat"])
    add(case = case, cause = cause, quantity = "gray_p_value", time = NA, value = tests[cause, "pv"])
  }
  fit <- survfit(Surv(d$duration, factor(d$outcome, 0:2, c("open", "1", "2"))) ~ 1)
  for (cause in c("1", "2")) {
    column <- which(fit$states == cause)
    add(case = case, cause = cause, quantity = "estimate", time = fit$time, value = fit$pstate[, column])
    add(case = case, cause = cause, quantity = "standard_error", time = fit$time, value = fit$std.err[, column])
  }
}
write.csv(do.call(rbind, rows), "gray_expected.csv", row.names = FALSE, quote = FALSE)
