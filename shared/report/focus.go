package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plain"
)

// focusColumns are the 21 columns that FOCUS 1.2 requires, three optional columns, and our own columns. The names of
// our own columns begin with "x_", as FOCUS requires (https://focus.finops.org, "FOCUS Specification 1.2").
var focusColumns = []string{
	"BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
	"ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
	"EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
	"ServiceCategory", "ServiceName",
	"ChargeFrequency", "SkuId", "Tags",
	"x_License", "x_SkuPartNumber", "x_Department", "x_CostCenter",
	"x_CouldFreeMonthlyCost", "x_FreedMonthlyCost", "x_ReturnedMonthlyCost", "x_FreedNetMonthlyCost", "x_WaitingMonthlyCost",
	"x_SavedCost", "x_UnprovenCost", "x_CouldFreeSeats", "x_FreedSeats", "x_FreedNetSeats", "x_SavedSeatDays", "x_RenewalDate",
	"x_Month", // the first day of the charge period as a date, because spreadsheets cannot read a date with a time in the format of FOCUS
}

// WriteFOCUS writes the money as CSV in the shape of FOCUS, with a row for each month, license, department and cost
// center. A saving is no charge, so each cost for which FOCUS has a column is 0, and the rows do not change the sums of
// a bill. The amounts are in our own columns. The argument "tenant" is the billing account.
//
// The argument "separator" is the character between two cells. With a semicolon, numbers have decimal commas. The file
// begins with a byte order mark, like Microsoft's own exports of costs (azure-sdk-for-net#34129).
func WriteFOCUS(w io.Writer, tenant string, s *money.Sums, separator rune) error {
	sheet := Sheet{Separator: separator}
	err := sheet.write(w, func(write func(...string) error) error {
		err := write(focusColumns...)
		for i := range s.Rows {
			if err != nil {
				return err
			}
			var row []string
			if row, err = focusRow(tenant, &s.Rows[i], separator); err == nil {
				err = write(row...)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("write the money as CSV: %w", err)
	}
	return nil
}

func focusRow(tenant string, r *money.Row, separator rune) ([]string, error) {
	const none, nothing = "", "0"
	start, end := r.Month.Format(time.RFC3339), r.Month.AddDate(0, 1, 0).Format(time.RFC3339)
	maker := money.Unknown // the vendor is unknown if the license is a group membership
	if r.SKU != "" {
		maker = "Microsoft"
	}
	tags, err := tagsOf(r)
	if err != nil {
		return nil, err
	}
	renews := none
	if !r.Renews.IsZero() {
		renews = r.Renews.UTC().Format(time.RFC3339)
	}
	sum := func(a money.Cents) string { return decimals(a.String(), separator) }
	return []string{
		nothing, cell(tenant), none, cell(r.Currency), end, start,
		"Adjustment", none, cell("Seats of " + r.License + " that were taken back"), end, start, nothing,
		nothing, maker, nothing, none, none, maker, maker,
		"Business Applications", cell(r.License),
		"Recurring", cell(r.SKUID), tags,
		cell(r.License), cell(r.SKU), cell(r.Department), cell(r.CostCenter),
		sum(r.CouldFree), sum(r.Freed), sum(r.Returned), sum(r.FreedNet), sum(r.Waiting),
		sum(r.Saved), sum(r.Unproven), strconv.Itoa(r.Seats), strconv.Itoa(r.SeatsFreed), strconv.Itoa(r.SeatsNet), strconv.Itoa(r.SeatDays), renews,
		r.Month.Format(time.DateOnly),
	}, nil
}

func tagsOf(r *money.Row) (string, error) {
	tags := map[string]string{}
	if r.Department != money.Unknown {
		tags["department"] = plain.Line(r.Department)
	}
	if r.CostCenter != money.Unknown {
		tags["costCenter"] = plain.Line(r.CostCenter)
	}
	text, err := json.Marshal(tags)
	return cell(string(text)), err
}
