# Kaplan-Meier of gaps with the variance by facility: R 4.2.2, survival 3.5.3. Invented gaps; ties, a facility without an
# ended gap, one with a single gap. Run in this folder: Rscript mentoring_gaps.R
suppressMessages(library(survival))
gaps <- read.csv("mentoring_gaps.csv")
fit <- survfit(Surv(days, ended) ~ 1, data = gaps, cluster = facility)
stopifnot(!fit$logse) # the standard error is then that of the curve itself
write.csv(
  data.frame(time = fit$time, survival = format(fit$surv, digits = 12), standard_error = format(fit$std.err, digits = 12)),
  "mentoring_gaps_expected.csv", row.names = FALSE, quote = FALSE
)
