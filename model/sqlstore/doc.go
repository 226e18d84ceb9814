// Package sqlstore owns the tables: it keeps the records in SQL through GORM,
// one store type per capability, and every method is one transaction. It
// decides nothing, knows no service and speaks only the errors of package
// model.
package sqlstore
