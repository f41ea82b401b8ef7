package fault

// Codes are all codes with the names of their values. The page has a sentence for each, in each of its languages (annotate/page/src/texts, error.CODE).
// item is CASE/SLICE; text is the English sentence, for what is not told apart further.
var Codes = map[Code][]string{
	// who may do what now
	Held: {"who", "item"}, HeldFree: {"who", "item"}, Twice: {"item"}, Disputed: {"item"}, Decided: {"item"}, ReadByOther: {"item"},
	Reviewers: {}, Stoppers: {}, SavedMeanwhile: {"who", "version", "item"}, ReviewedMeanwhile: {"version", "item"}, Queued: {"item"},
	Labelled: {"item"}, NotLabelled: {"item"}, NothingLabelled: {"case"}, NothingWaits: {"case"}, NoteMissing: {}, NoteLong: {"most"}, MaskSize: {"pixels", "case", "height", "width"},
	// what is not there
	Validation: {"item"}, Independent: {"item"}, NoVersion: {"item", "version"}, NoModel: {"model"}, NotSegmented: {"item"}, NoItem: {"item"}, NoCase: {"case"},
	Image: {"case", "text"},
	// exports
	ExportNoModel: {}, ExportNotDICOM: {}, ExportNoneWholeAccepted: {}, ExportNoneWhole: {}, ExportNoneAccepted: {}, ExportNone: {},
	// logging in
	Refused: {}, NameMissing: {}, Attempts: {"seconds"}, LogIn: {}, OtherProject: {}, OtherPerson: {"who"},
	// the machine
	Full: {}, ReadOnly: {}, Lost: {}, Busy: {},
	// why there is no proposal to draw with
	ProposalTests: {}, ProposalUntil: {"n"}, ProposalNone: {}, ProposalLoading: {}, ProposalUnknown: {}, ProposalPoor: {"dice"},
	// all else, by its status
	NotFound: {"text"}, Forbidden: {"text"}, Conflict: {"text"}, Invalid: {"text"}, Gone: {"text"}, Stopped: {"text"}, Internal: {"text"},
}

// The codes.
const (
	Held              Code = "held"
	HeldFree          Code = "held-adjudicator"
	Twice             Code = "read-twice"
	Disputed          Code = "disputed"
	Decided           Code = "decided"
	ReadByOther       Code = "read-by-other"
	Reviewers         Code = "reviewers-only"
	Stoppers          Code = "stoppers-only"
	SavedMeanwhile    Code = "saved-meanwhile"
	ReviewedMeanwhile Code = "reviewed-meanwhile"
	Queued            Code = "queued"
	Labelled          Code = "labelled" // and is not skipped
	NotLabelled       Code = "not-labelled"
	NothingLabelled   Code = "nothing-labelled"
	NothingWaits      Code = "nothing-waits"
	NoteMissing       Code = "note-missing"
	NoteLong          Code = "note-long"
	MaskSize          Code = "mask-size"

	Validation   Code = "validation"
	Independent  Code = "independent"
	NoVersion    Code = "no-version"
	NoModel      Code = "no-model"
	NotSegmented Code = "not-segmented"
	NoItem       Code = "no-item"
	NoCase       Code = "no-case"
	Image        Code = "image"

	ExportNoModel           Code = "export-no-model"
	ExportNotDICOM          Code = "export-not-dicom"
	ExportNoneWholeAccepted Code = "export-none-whole-accepted"
	ExportNoneWhole         Code = "export-none-whole"
	ExportNoneAccepted      Code = "export-none-accepted"
	ExportNone              Code = "export-none"

	Refused     Code = "refused"
	NameMissing Code = "name-missing"
	Attempts    Code = "attempts"
	LogIn       Code = "log-in"
	// the request is meant for another one
	OtherProject Code = "other-project"
	OtherPerson  Code = "other-person"

	Full     Code = "disk-full"
	ReadOnly Code = "read-only"
	Lost     Code = "database-lost"
	Busy     Code = "busy"

	ProposalTests   Code = "proposal-tests"
	ProposalUntil   Code = "proposal-until"
	ProposalNone    Code = "proposal-none"
	ProposalLoading Code = "proposal-loading"
	ProposalUnknown Code = "proposal-unknown"
	ProposalPoor    Code = "proposal-poor"

	NotFound  Code = "not-found"
	Forbidden Code = "forbidden"
	Conflict  Code = "conflict"
	Invalid   Code = "invalid"
	Gone      Code = "gone"
	Stopped   Code = "stopped"
	Internal  Code = "internal"
)
