# Makes its_series.csv, four simulated series with AR(1) errors, one of them with gaps and one short, and
# its_expected.csv, their segmented regression by R's nlme::gls (REML) with AR(1) correlation by time distance.
# Rscript its_gls.R       in this folder (R 4.2.2, nlme 3.1.162)
library(nlme)
set.seed(20170623)
series <- function(name, n, start, phi, drop) {
  time <- 0:(n - 1)
  value <- 60 + 0.2 * time + 6 * (time >= start) + 3 * as.numeric(arima.sim(list(ar = phi), n))
  data.frame(series = name, time = time, start = start, value = round(value, 3))[!(time %in% drop), ]
}
data <- rbind(series("complete", 36, 18, 0.5, integer(0)),
              series("gap", 30, 14, 0.4, c(4, 5, 9, 20, 21, 22)),
              series("short", 14, 7, 0.2, integer(0)),
              series("alternating", 24, 12, -0.4, 15))
write.csv(data, "its_series.csv", row.names = FALSE, quote = FALSE)
out <- NULL
for (name in unique(data$series)) {
  own <- data[data$series == name, ]
  own$after <- as.numeric(own$time >= own$start)
  own$since <- own$after * (own$time - own$start)
  fit <- gls(value ~ time + after + since, own, correlation = corAR1(form = ~time), method = "REML",
             control = glsControl(tolerance = 1e-14, msTol = 1e-14, msMaxIter = 500, maxIter = 500))
  terms <- c("intercept", "slope", "level_change", "slope_change")
  out <- rbind(out, data.frame(series = name, quantity = c(terms, paste0("se_", terms), "phi", "sigma"),
    value = c(coef(fit), sqrt(diag(vcov(fit))), coef(fit$modelStruct$corStruct, unconstrained = FALSE), fit$sigma)))
}
out$value <- format(out$value, digits = 15)
write.csv(out, "its_expected.csv", row.names = FALSE, quote = FALSE)
