package fault

import "strings"

// Told are the codes of what the server tells without anything having gone wrong at a request, with the names of their values: warnings, problems in
// the background, reasons, and the lines of the audit log. The page has a sentence for each, in each of its languages
// (annotate/page/src/texts, told.CODE).
//
// What a package far below says, such as what volume/dicom doubts of a series' geometry, has too many sentences for a code each: it has the code of its
// kind, which says in each language what it means for the person, and the English sentence as its value text, which is quoted as it is.
var Told = map[Code][]string{
	// of the data: texts of package dataset, volume and volume/dicom are the value text
	DataLeftOut: {"case", "text"}, DataMaskUnused: {"case", "text"}, DataDoubt: {"case", "text"}, DataSet: {"text"}, DataNaN: {"case", "n"},
	DataNaNAs: {"case", "n", "value"}, ClassesGuessed: {"class"},
	// problems in the background
	Background: {"text"}, TrainingFailed: {"text"}, TrainingAgain: {"text"}, TrainingSlow: {"text"}, LabelDamaged: {"case", "text"},
	MaskChanged: {"case"}, MaskMoved: {"case", "file"}, DataChanged: {"case", "text"}, BackupFailed: {"text"}, CaseUnreadable: {},
	// whether to stop, and what more labels would bring
	StopAll: {}, StopLabels: {"least", "n"}, StopModels: {"least", "n"}, StopRise: {"cycles", "rise"}, StopEnough: {"cycles", "rise", "dice"},
	StopFixed: {}, ForecastNone: {}, ForecastLabels: {"least", "n"}, ForecastGain: {"n", "gain"},
	// why a model is in use, or not
	ModelUnjudged: {}, ModelFixed: {}, ModelFixedDice: {"dice"}, ModelBlind: {"dice"}, ModelFirst: {}, ModelUnreadable: {}, ModelEmpty: {},
	ModelBetter: {"dice", "before"}, ModelWorse: {"dice", "model", "before"},
	// what a line of the audit log is: store.Event.Event
	LogLabel: {}, LogReading: {}, LogAskReading: {}, LogCaseLeased: {}, LogModel: {}, LogLogin: {}, LogLogout: {}, LogRefused: {}, LogCaseAdded: {},
	LogFreed: {}, LogSkip: {}, LogReview: {}, LogTraining: {}, LogTrainingStopped: {}, LogConfiguration: {}, LogExport: {}, LogRepair: {},
	LogRestore: {}, LogTakenOver: {},
	// its details
	OfVersion: {"version", "action"}, OfReading: {"version", "reading"}, OfReadings: {"version", "reading", "agreement"}, OfSlices: {"slices"},
	OfCase: {"n", "use"}, OfMasks: {"n"}, OfModel: {"version", "n"}, OfHolder: {"who"}, OfReview: {"version", "status"}, OfNote: {"text"},
	OfConfiguration: {"strategy", "size", "preset"}, OfFormat: {"format"}, OfPartial: {}, OfFill: {}, OfAccepted: {},
}

// The codes of Told.
const (
	DataLeftOut    Code = "data-left-out"
	DataMaskUnused Code = "data-mask-unused"
	DataDoubt      Code = "data-doubt"
	DataSet        Code = "data-set"
	DataNaN        Code = "data-nan"
	DataNaNAs      Code = "data-nan-as"
	ClassesGuessed Code = "classes-guessed"

	Background     Code = "background"
	TrainingFailed Code = "training-failed"
	TrainingAgain  Code = "training-again"
	TrainingSlow   Code = "training-slow"
	LabelDamaged   Code = "label-damaged"
	MaskChanged    Code = "mask-changed"
	MaskMoved      Code = "mask-moved"
	DataChanged    Code = "data-changed"
	BackupFailed   Code = "backup-failed"
	CaseUnreadable Code = "case-unreadable"

	StopAll        Code = "stop-all"
	StopLabels     Code = "stop-labels"
	StopModels     Code = "stop-models"
	StopRise       Code = "stop-rise"
	StopEnough     Code = "stop-enough"
	StopFixed      Code = "stop-fixed"
	ForecastNone   Code = "forecast-none"
	ForecastLabels Code = "forecast-labels"
	ForecastGain   Code = "forecast-gain"

	ModelUnjudged   Code = "model-unjudged"
	ModelFixed      Code = "model-fixed"
	ModelFixedDice  Code = "model-fixed-dice"
	ModelBlind      Code = "model-blind"
	ModelFirst      Code = "model-first"
	ModelUnreadable Code = "model-unreadable"
	ModelEmpty      Code = "model-empty"
	ModelBetter     Code = "model-better"
	ModelWorse      Code = "model-worse"

	LogLabel           Code = "log-label"
	LogReading         Code = "log-reading"
	LogAskReading      Code = "log-second-reading-asked"
	LogCaseLeased      Code = "log-case-leased"
	LogModel           Code = "log-model"
	LogLogin           Code = "log-login"
	LogLogout          Code = "log-logout"
	LogRefused         Code = "log-login-refused"
	LogCaseAdded       Code = "log-case-added"
	LogFreed           Code = "log-lease-freed"
	LogSkip            Code = "log-skip"
	LogReview          Code = "log-review"
	LogTraining        Code = "log-training-asked-for"
	LogTrainingStopped Code = "log-training-stopped"
	LogConfiguration   Code = "log-configuration-changed"
	LogExport          Code = "log-export"
	LogRepair          Code = "log-repair"
	LogRestore         Code = "log-restore"
	LogTakenOver       Code = "log-taken-over"

	OfVersion       Code = "of-version"
	OfReading       Code = "of-reading"
	OfReadings      Code = "of-readings"
	OfSlices        Code = "of-slices"
	OfCase          Code = "of-case"
	OfMasks         Code = "of-masks"
	OfModel         Code = "of-model"
	OfHolder        Code = "of-holder"
	OfReview        Code = "of-review"
	OfNote          Code = "of-note"
	OfConfiguration Code = "of-configuration"
	OfFormat        Code = "of-format"
	OfPartial       Code = "of-partial"
	OfFill          Code = "of-fill"
	OfAccepted      Code = "of-accepted"
)

// LogCode is what a line of the audit log is, by the name that is stored; false for one that only another program knows.
func LogCode(event string) (Code, bool) {
	code := Code("log-" + strings.ReplaceAll(event, " ", "-"))
	_, known := Told[code]
	return code, known
}
