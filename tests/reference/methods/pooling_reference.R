# Makes pooling_expected.csv: random-effects pooling of small invented cases, and pooling_regression.csv: how they
# vary with a moderator; by metafor.
# Rscript pooling_reference.R       (R 4.2.2, metafor 3.8.1)
suppressMessages(library(metafor))
cases <- list(
  six = list(c(0.12, 0.31, 0.02, 0.45, 0.22, -0.08), c(0.06, 0.11, 0.05, 0.2, 0.09, 0.1)),
  two = list(c(1.1, 0.2), c(0.3, 0.4)),
  unequal = list(c(-3, 40, 12, 7, 25, 9, 14), c(2, 15, 8, 30, 4, 11, 6)),
  alike = list(c(0.5, 0.9, 0.2, 0.7, 0.45, 1.2), c(0.3, 0.35, 0.4, 0.3, 0.5, 0.6)),
  same = list(c(0.10, 0.11, 0.10, 0.12, 0.11), c(0.1, 0.1, 0.2, 0.1, 0.15)))
sink("pooling_expected.csv")
cat("case,method,interval,estimate,standard_error,low,high,p_value,tau2,tau2_low,tau2_high,i2,q,prediction_low,prediction_high\n")
for (name in names(cases)) for (method in c("REML", "DL", "PM")) for (test in c("knha", "z")) {
  m <- rma(cases[[name]][[1]], sei = cases[[name]][[2]], method = method, test = test,
           control = list(threshold = 1e-13, tol = 1e-13, maxiter = 10000))
  q <- confint(m, control = list(tol = 1e-13, tau2.max = 1e5))$random["tau^2", 2:3]
  p <- predict(m)
  cat(name, method, if (test == "knha") "HK" else "wald",
      sprintf("%.12g", c(m$beta, m$se, m$ci.lb, m$ci.ub, m$pval, m$tau2, q, m$I2, m$QE, p$pi.lb, p$pi.ub)), sep = ",")
  cat("\n")
}
sink("pooling_regression.csv")
cat("case,interval,term,estimate,standard_error,low,high,p_value,tau2,i2,q\n")
for (name in c("six", "unequal")) for (test in c("knha", "z")) {
  x <- seq_along(cases[[name]][[1]])^2
  m <- rma(cases[[name]][[1]], sei = cases[[name]][[2]], mods = ~ x, test = test,
           control = list(threshold = 1e-13, maxiter = 10000))
  for (j in 1:2) {
    cat(name, if (test == "knha") "HK" else "wald", c("intercept", "x")[j],
        sprintf("%.12g", c(m$beta[j], m$se[j], m$ci.lb[j], m$ci.ub[j], m$pval[j], m$tau2, m$I2, m$QE)), sep = ",")
    cat("\n")
  }
}
sink()
