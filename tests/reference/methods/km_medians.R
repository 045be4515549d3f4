# Makes expected/km_medians.csv: medians of small samples and their log-log limits, by R's survfit.
# Rscript km_medians.R > expected/km_medians.csv       (R 4.2.2, survival 3.5.3)
library(survival)
cases <- list(
  ten = list(c(0, 0, 0, 3, 4, 5, 8, 9, 10, 10), rep(1, 10)),
  four = list(c(1, 2, 3, 4), rep(1, 4)),
  flat_to_the_end = list(c(1, 2, 5, 6), c(1, 1, 0, 0)),
  seven = list(c(92, 243, 304, 304, 121, 153, 273), rep(1, 7)),
  six = list(c(1, 2, 3, 4, 5, 6), rep(1, 6)),
  censored = list(c(2, 3, 3, 5, 7, 8, 9, 12), c(1, 1, 0, 1, 0, 1, 1, 0)))
cat("case,durations,observed,median,low,high\n")
for (name in names(cases)) {
  x <- cases[[name]]
  fit <- survfit(Surv(x[[1]], x[[2]]) ~ 1, conf.type = "log-log")
  row <- summary(fit)$table[c("median", "0.95LCL", "0.95UCL")]
  cat(name, paste(x[[1]], collapse = " "), paste(x[[2]], collapse = " "), paste(row, collapse = ","), sep = ",")
  cat("\n")
}
