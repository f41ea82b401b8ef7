package report

// CaseResult is a test case over the finished runs.
type CaseResult struct {
	ID string `json:"id"`
}
