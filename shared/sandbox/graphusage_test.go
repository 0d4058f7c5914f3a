package sandbox

import (
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "raw" requests a path. The request has a token unless "token" is empty.
func (a *asker) raw(path, token string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	a.g.ServeHTTP(w, r)
	return w
}

// usageRows reads a report through the redirect. A row maps the name of a column to the cell.
func (a *asker) usageRows(t *testing.T, path string) (header []string, rows []map[string]string) {
	t.Helper()
	found := a.raw(path, "")
	if found.Code != http.StatusFound {
		t.Fatalf("%s: status %d, %s", path, found.Code, found.Body)
	}
	_, file, _ := strings.Cut(strings.TrimPrefix(found.Header().Get("Location"), "http://"), "/")
	if refused := a.raw("/"+file, "Bearer x"); refused.Code != http.StatusBadRequest {
		t.Errorf("the file takes a token: %d", refused.Code)
	}
	body := a.raw("/"+file, "").Body.String()
	text, marked := strings.CutPrefix(body, "\ufeff")
	if !marked || !strings.Contains(text, "\r\n") {
		t.Errorf("the file begins with %.20q", body)
	}
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return all[0], rows
}

// TestUsageReports: both reports list every holder of a license and show no date after the refresh date.
func TestUsageReports(t *testing.T) {
	t.Parallel()
	const active, copilot = "/v1.0/reports/getOffice365ActiveUserDetail(period='D180')", "/v1.0/copilot/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')"
	a := newAsker(t, Options{Users: 200})
	now := a.c.now()
	a.c.AssignDirectly(3, "Microsoft_365_Copilot")
	a.c.Use(3, directory.CopilotUse, now.AddDate(0, 0, -50))
	refreshed := now.AddDate(0, 0, -2).Format(time.DateOnly)
	header, rows := a.usageRows(t, active)
	if diff := cmp.Diff(activeUserColumns(), header); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	holders := 0
	for u := range a.c.EntraUsers() {
		if len(u.Assignments) == 0 {
			continue
		}
		holders++
		i := slices.IndexFunc(rows, func(r map[string]string) bool {
			return strings.EqualFold(r["User Principal Name"], u.UserPrincipalName)
		})
		if i < 0 {
			t.Errorf("%s is not in the report", u.UserPrincipalName)
			continue
		}
		last := rows[i]["Exchange Last Activity Date"]
		if want := u.LastActivity().UTC().Format(time.DateOnly); last != "" && last != min(want, refreshed) {
			t.Errorf("%s used Exchange on %s, and last signed in on %s", u.UserPrincipalName, last, want)
		}
		if last > refreshed || rows[i]["Report Refresh Date"] != refreshed || rows[i]["Report Period"] != "180" {
			t.Errorf("%+v", rows[i])
		}
	}
	if deleted := rows[len(rows)-1]; len(rows) != holders+1 || deleted["Is Deleted"] != "True" {
		t.Errorf("%d rows of %d holders, the last one is %+v", len(rows), holders, deleted)
	}
	header, rows = a.usageRows(t, copilot)
	if diff := cmp.Diff(copilotColumns, header); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if want := now.AddDate(0, 0, -50).Format(time.DateOnly); len(rows) != 2 || rows[0]["Last Activity Date"] != want {
		t.Errorf("%+v, want the day %s", rows, want)
	}
	a.c.SetReports(Reports{Older: true})
	if got := a.raw(copilot, ""); got.Code != http.StatusBadRequest {
		t.Errorf("an older tenant answers %d", got.Code)
	}
	if _, rows = a.usageRows(t, strings.NewReplacer("/v1.0", "/beta", "/copilot", "").Replace(copilot)); len(rows) != 2 {
		t.Errorf("in beta: %+v", rows)
	}
}
