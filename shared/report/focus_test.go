package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/money"
)

// TestWriteFOCUS: the rows have the values that FOCUS requires. An unknown department or cost center is not in the
// tags. No cell is a formula.
func TestWriteFOCUS(t *testing.T) {
	t.Parallel()
	line := func(license, department, center string) money.Line {
		return money.Line{License: license, Department: department, CostCenter: center}
	}
	june := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	known := money.Row{Month: june, SKU: "SPE_E3", SKUID: "05e9a617-0261-4cee-bb44-138d3ef5d965", Currency: "SEK", Line: line("e3", `=HYPERLINK("x")`, "@1\n2")}
	known.Figures = money.Figures{CouldFree: 3900, Freed: 7800, Returned: 3900, FreedNet: 3900, Saved: -126, Unproven: 5, Waiting: 3900, Seats: 1, SeatsFreed: 2, SeatsNet: 1, SeatDays: 31}
	known.Renews = time.Date(2026, 7, 1, 15, 30, 0, 0, time.UTC)
	group := money.Row{Month: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), Currency: "SEK", Line: line("citrix", money.Unknown, "")}
	sums := &money.Sums{Currency: "SEK", Rows: []money.Row{known, group}}
	rows := focused(t, sums, ',')
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	of := func(row int) map[string]string {
		all := map[string]string{}
		for i, name := range rows[0] {
			if v := rows[row][i]; v != "" {
				all[name] = v
			}
		}
		return all
	}
	want := map[string]string{
		"BilledCost": "0", "ContractedCost": "0", "EffectiveCost": "0", "ListCost": "0", "BillingAccountId": "11111111-2222-3333-4444-555555555555", "BillingCurrency": "SEK",
		"BillingPeriodStart": "2026-06-01T00:00:00Z", "BillingPeriodEnd": "2026-07-01T00:00:00Z", "ChargePeriodStart": "2026-06-01T00:00:00Z", "ChargePeriodEnd": "2026-07-01T00:00:00Z",
		"ChargeCategory": "Adjustment", "ChargeDescription": "Seats of e3 that were taken back", "ChargeFrequency": "Recurring", "InvoiceIssuerName": "Microsoft", "ProviderName": "Microsoft",
		"PublisherName": "Microsoft", "ServiceCategory": "Business Applications", "ServiceName": "e3", "SkuId": "05e9a617-0261-4cee-bb44-138d3ef5d965",
		"Tags": `{"costCenter":"@1�2","department":"=HYPERLINK(\"x\")"}`, "x_License": "e3", "x_SkuPartNumber": "SPE_E3", "x_Department": `'=HYPERLINK("x")`, "x_CostCenter": "'@1�2",
		"x_CouldFreeMonthlyCost": "39.00", "x_FreedMonthlyCost": "78.00", "x_ReturnedMonthlyCost": "39.00", "x_FreedNetMonthlyCost": "39.00", "x_WaitingMonthlyCost": "39.00",
		"x_SavedCost": "-1.26", "x_UnprovenCost": "0.05", "x_CouldFreeSeats": "1", "x_FreedSeats": "2", "x_FreedNetSeats": "1", "x_SavedSeatDays": "31", "x_RenewalDate": "2026-07-01T15:30:00Z",
		"x_Month": "2026-06-01",
	}
	if d := cmp.Diff(want, of(1)); d != "" {
		t.Errorf("a product (-want +got):\n%s", d)
	}
	got := of(2)
	if got["BillingPeriodEnd"] != "2027-01-01T00:00:00Z" || got["ProviderName"] != "unknown" || got["SkuId"] != "" || got["x_Department"] != "unknown" || got["x_CostCenter"] != "" || got["x_RenewalDate"] != "" {
		t.Errorf("a group: %v", got)
	}
	var tags map[string]string
	if err := json.Unmarshal([]byte(got["Tags"]), &tags); err != nil || cmp.Diff(map[string]string{"costCenter": ""}, tags) != "" {
		t.Errorf("tags %v, %v", tags, err)
	}
	for i, row := range focused(t, sums, ';') {
		for n, title := range rows[0] {
			want := rows[i][n]
			if strings.Contains(title, "Cost") && i > 0 && title != "x_CostCenter" {
				want = strings.ReplaceAll(want, ".", ",")
			}
			if row[n] != want {
				t.Errorf("with semicolons row %d has %s %q, want %q", i, title, row[n], want)
			}
		}
	}
}

func focused(t *testing.T, s *money.Sums, separator rune) [][]string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteFOCUS(&out, "11111111-2222-3333-4444-555555555555", s, separator); err != nil {
		t.Fatal(err)
	}
	written, marked := bytes.CutPrefix(out.Bytes(), []byte("\ufeff"))
	if !marked {
		t.Error("a spreadsheet would not read it as UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(written))
	r.Comma = separator
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
