# Concentration index by the covariance and by the convenient regression of O'Donnell et al. 2008, ch. 8, its standard error
# by the formula of Kakwani, Wagstaff and van Doorslaer 1997, and the delete-one jackknife: base R 4.2.2.
# `india`: births and deaths under five by fifths of wealth, 1982-92, after the World Bank's technical note on the index;
# `invented` are made up, with ties.
# Run in this folder: Rscript equity_concentration.R
india <- data.frame(
  exposure = c(29939, 28776, 26528, 24689, 19739), rank = 1:5,
  rate = c(154.7, 152.9, 119.5, 86.9, 54.3) / 1000
)
india$received <- india$rate * india$exposure
invented <- data.frame(
  received = c(0, 3, 9, 4, 12, 7, 7, 0, 15, 6, 8, 11), exposure = c(24, 24, 24, 21, 21, 21, 21, 18, 18, 18, 18, 24),
  rank = c(4.2, 7.5, 7.5, 12, 60, 33, 18, 5.1, 80, 9, 41, 7.5)
)
fractional <- function(d) {
  w <- d$exposure / sum(d$exposure)
  sapply(seq_along(w), function(i) sum(w[d$rank < d$rank[i]]) + sum(w[d$rank == d$rank[i]]) / 2)
}
index <- function(d) {
  w <- d$exposure / sum(d$exposure); h <- d$received / d$exposure; r <- fractional(d)
  mu <- sum(w * h)
  2 * sum(w * (h - mu) * (r - 0.5)) / mu
}
regression <- function(d) {
  w <- d$exposure / sum(d$exposure); h <- d$received / d$exposure; r <- fractional(d)
  mu <- sum(w * h); s2 <- sum(w * (r - 0.5)^2)
  unname(coef(lm(I(2 * s2 * h / mu) ~ r, weights = w))[2])
}
jackknife <- function(d) {
  n <- nrow(d); left <- sapply(seq_len(n), function(i) index(d[-i, ]))
  sqrt((n - 1) / n * sum((left - mean(left))^2))
}
out <- NULL
for (name in c("india", "invented")) {
  d <- get(name)
  stopifnot(abs(index(d) - regression(d)) < 1e-12)
  out <- rbind(out, data.frame(data = name, quantity = c("index", "jackknife_error"), value = c(index(d), jackknife(d))))
}
out$value <- format(out$value, digits = 12)
write.csv(out, "equity_concentration_expected.csv", row.names = FALSE, quote = FALSE)
write.csv(invented, "equity_concentration.csv", row.names = FALSE, quote = FALSE)
